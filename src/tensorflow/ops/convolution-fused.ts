import type { Convolutions, Geometry } from './convolution-convolution.js';
import { nothing, type Precision } from './native-precision.js';
import { constant, type Raw, run } from './raw.js';

/** By the operations of setup/kernels/convolution.cc. Only where `hasFused()`. */
export function fusedConvolutions(precision: Precision): Convolutions {
  const suffix = precision === 'bfloat16' ? '16' : '';
  return {
    packed: (kernel, geometry, images = 0) =>
      run('WeirKernel', [], [kernel, numbers(geometry, 2 * Number(isForFew(geometry, images)))])[0],
    convolve: (x, packed, geometry, { bias, residual, rectify = false } = {}) =>
      run(
        `WeirConvolve${suffix}`,
        [],
        [x, packed, bias ?? nothing(), residual ?? nothing(precision), numbers(geometry, Number(rectify))],
      )[0],
    back(dy, kernel, geometry, images = 0) {
      const [packed] = run('WeirKernel', [], [kernel, numbers(geometry, 1 + 2 * Number(isForFew(geometry, images)))]);
      const [dx] = run(`WeirConvolveBack${suffix}`, [], [dy, packed, numbers(geometry, 0)]);
      packed.dispose();
      return dx;
    },
    filter: (x, dy, geometry) => run(`WeirConvolveFilter${suffix}`, [], [x, dy, numbers(geometry, 0)])[0],
  };
}

/**
 * Is a kernel packed for so few images that its transform (setup/kernels/winograd.h) costs more than it saves? To write and to read a
 * number of it takes as long as about 128 products.
 */
function isForFew({ height, width }: Geometry, images: number): boolean {
  const tiles = images * Math.ceil(height / 4) * Math.ceil(width / 4);
  return images > 0 && 9 * images * height * width < 36 * ((tiles * 4) / 3 + 128);
}

const numbers = (g: Geometry, flag: number): Raw =>
  constant('int32', [g.height, g.width, g.in, g.out, g.size, g.stride, Number(g.padding === 'circular'), flag]);

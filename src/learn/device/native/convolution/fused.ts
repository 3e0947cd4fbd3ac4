import { nothing, type Precision } from '../precision.js';
import { constant, type Raw, run } from '../raw.js';
import type { Convolutions, Geometry } from './convolution.js';

/** By the operations of setup/kernels/convolution.cc. Only where `hasFused()`. */
export function fusedConvolutions(precision: Precision): Convolutions {
  const suffix = precision === 'bfloat16' ? '16' : '';
  return {
    packed: (kernel, geometry) => run('WeirKernel', [], [kernel, numbers(geometry, false)])[0],
    convolve: (x, packed, geometry, { bias, residual, rectify = false } = {}) =>
      run(
        `WeirConvolve${suffix}`,
        [],
        [x, packed, bias ?? nothing(), residual ?? nothing(precision), numbers(geometry, rectify)],
      )[0],
    back(dy, kernel, geometry) {
      const [packed] = run('WeirKernel', [], [kernel, numbers(geometry, true)]);
      const [dx] = run(`WeirConvolveBack${suffix}`, [], [dy, packed, numbers(geometry, false)]);
      packed.dispose();
      return dx;
    },
    filter: (x, dy, geometry) => run(`WeirConvolveFilter${suffix}`, [], [x, dy, numbers(geometry, false)])[0],
  };
}

const numbers = (g: Geometry, flag: boolean): Raw =>
  constant('int32', [g.height, g.width, g.in, g.out, g.size, g.stride, Number(g.padding === 'circular'), Number(flag)]);

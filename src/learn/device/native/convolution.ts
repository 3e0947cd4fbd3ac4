import { composedConvolutions } from './convolution-composed.js';
import { hasFused } from './fused.js';
import { nothing, type Precision } from './precision.js';
import { constant, needsNative, type Raw, run } from './raw.js';

/**
 * A convolution of images [n, height, width, in] by a kernel of size × size to [n, ⌈height/stride⌉, ⌈width/stride⌉, out]. The padding
 * is half the kernel on each side, as PyTorch does it.
 */
export interface Geometry {
  readonly height: number;
  readonly width: number;
  readonly in: number;
  readonly out: number;
  /** Of the kernel; odd. */
  readonly size: number;
  readonly stride: number;
  /** What is beyond the edge: the opposite pixels, or zeros. */
  readonly padding: 'circular' | 'zero';
}

/** What is done to a convolution's sums before they are written. */
export interface Behind {
  /** [out], float32. */
  readonly bias?: Raw;
  /** Of the shape of the result. */
  readonly residual?: Raw;
  readonly rectify?: boolean;
}

/**
 * Convolutions with all their derivatives. Images are of the precision asked for, kernels and their gradients are HWIO and float32.
 * All that is returned is new; what is handed in stays the caller's.
 */
export interface Convolutions {
  /** A kernel as `convolve` reads it. */
  packed(kernel: Raw, geometry: Geometry): Raw;
  convolve(x: Raw, packed: Raw, geometry: Geometry, behind?: Behind): Raw;
  /** The gradient with respect to x. */
  back(dy: Raw, kernel: Raw, geometry: Geometry): Raw;
  /** The gradient with respect to the kernel. */
  filter(x: Raw, dy: Raw, geometry: Geometry): Raw;
}

/** Convolutions on this device. Native runtime only. */
export function convolutions(precision: Precision): Convolutions {
  needsNative('a convolution');
  return hasFused() ? fusedConvolutions(precision) : composedConvolutions(precision);
}

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

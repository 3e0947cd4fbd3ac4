import { attribute, cast, constant, needsNative, nothing, type Precision, type Raw, run } from './eager.js';
import { hasFused } from './fused.js';

/**
 * A convolution of images [n, height, width, in] by a kernel of size × size to [n, ⌈height/stride⌉, ⌈width/stride⌉, out]. The padding
 * is half the kernel on each side, as PyTorch does it.
 */
export interface ConvolutionGeometry {
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
export interface ConvolutionEpilogue {
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
  /**
   * A kernel as `convolve` reads it. Told how many `images` it is for, it may be laid out for so many: results then have other bits
   * than for another number, so only where that number is the same whenever the work is done again.
   */
  packed(kernel: Raw, geometry: ConvolutionGeometry, images?: number): Raw;
  convolve(x: Raw, packed: Raw, geometry: ConvolutionGeometry, behind?: ConvolutionEpilogue): Raw;
  /** The gradient with respect to x; `images` as in `packed`. */
  back(dy: Raw, kernel: Raw, geometry: ConvolutionGeometry, images?: number): Raw;
  /** The gradient with respect to the kernel. */
  filter(x: Raw, dy: Raw, geometry: ConvolutionGeometry): Raw;
}

/**
 * Convolutions out of TensorFlow's own operations: on a GPU, or where the binding has no others. What is beyond the edge is made
 * explicit, for TensorFlow knows no circular padding and pads a stride of 2 on one side only.
 */
export function composedConvolutions(precision: Precision): Convolutions {
  const T = attribute.type('T', precision);
  const N = attribute.type('Tparams', precision);

  const attributes = ({ stride }: ConvolutionGeometry) => [
    T,
    attribute.int('strides', [1, stride, stride, 1]),
    attribute.bool('use_cudnn_on_gpu', true),
    attribute.string('padding', 'VALID'),
    attribute.string('data_format', 'NHWC'),
    attribute.int('dilations', [1, 1, 1, 1]),
  ];

  /** x with `size`/2 pixels more on every side; a new tensor. */
  const padded = (x: Raw, g: ConvolutionGeometry): Raw => {
    const p = (g.size - 1) / 2;
    if (p === 0) return cast(x, precision, precision);
    if (g.padding === 'zero') {
      const sides = constant('int32', [0, 0, p, p, p, p, 0, 0], [4, 2]);
      return run('Pad', [T, attribute.type('Tpaddings', 'int32')], [x, sides])[0];
    }
    const gather = (x: Raw, length: number, axis: number): Raw =>
      run(
        'GatherV2',
        [N, attribute.type('Tindices', 'int32'), attribute.type('Taxis', 'int32'), attribute.int('batch_dims', 0)],
        [x, constant('int32', around(length, p)), constant('int32', [axis], [])],
      )[0];
    const rows = gather(x, g.height, 1);
    const whole = gather(rows, g.width, 2);
    rows.dispose();
    return whole;
  };

  /** The gradient with respect to x of one with respect to `padded`; takes it. */
  const folded = (dpadded: Raw, g: ConvolutionGeometry): Raw => {
    const p = (g.size - 1) / 2;
    if (p === 0) return dpadded;
    const fold = (x: Raw, length: number, equation: string): Raw => {
      const into = cast(
        constant('float32', foldMatrix(length, p, g.padding), [length + 2 * p, length]),
        'float32',
        precision,
      );
      const equals = [attribute.int('N', 2), attribute.string('equation', equation), T];
      const [sums] = run('Einsum', equals, [x, into]);
      into.dispose();
      x.dispose();
      return sums;
    };
    return fold(fold(dpadded, g.height, 'nhwc,hk->nkwc'), g.width, 'nhwc,wk->nhkc');
  };

  return {
    packed: (kernel) => cast(kernel, 'float32', precision),

    convolve(x, packed, g, behind = {}) {
      const input = padded(x, g);
      const [y] = run('Conv2D', attributes(g), [input, packed]);
      input.dispose();
      return finished(y, behind, precision);
    },

    back(dy, kernel, g) {
      const w = cast(kernel, 'float32', precision);
      const p = g.size - 1;
      const shape = constant('int32', [dy.shape[0]!, g.height + p, g.width + p, g.in]);
      const [dpadded] = run('Conv2DBackpropInput', attributes(g), [shape, w, dy]);
      w.dispose();
      return folded(dpadded, g);
    },

    filter(x, dy, g) {
      const input = padded(x, g);
      const shape = constant('int32', [g.size, g.size, g.in, g.out]);
      const [gradient] = run('Conv2DBackpropFilter', attributes(g), [input, shape, dy]);
      input.dispose();
      const whole = cast(gradient, precision, 'float32');
      gradient.dispose();
      return whole;
    },
  };
}

/** y + bias + residual, rectified where asked; takes y. */
function finished(y: Raw, { bias, residual, rectify }: ConvolutionEpilogue, precision: Precision): Raw {
  const T = attribute.type('T', precision);
  const steps: ((y: Raw) => Raw)[] = [];
  if (bias) {
    steps.push((y) => {
      const b = cast(bias, 'float32', precision);
      const [sum] = run('BiasAdd', [T, attribute.string('data_format', 'NHWC')], [y, b]);
      b.dispose();
      return sum;
    });
  }
  if (residual) steps.push((y) => run('AddV2', [T], [y, residual])[0]);
  if (rectify) steps.push((y) => run('Relu', [T], [y])[0]);
  return steps.reduce((y, step) => {
    const next = step(y);
    y.dispose();
    return next;
  }, y);
}

/** The places −p … length + p − 1, modulo the length. */
const around = (length: number, p: number): number[] =>
  Array.from({ length: length + 2 * p }, (_, i) => (((i - p) % length) + length) % length);

/** [length + 2p, length]: 1 where a padded place holds a place. */
function foldMatrix(length: number, p: number, padding: ConvolutionGeometry['padding']): number[] {
  const positions = around(length, p);
  return positions.flatMap((position, i) =>
    Array.from({ length }, (_, j) => Number(j === position && (padding === 'circular' || i - p === j))),
  );
}

/** By the operations of kernels/convolution.cc. Only where `hasFused()`. */
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
 * Is a kernel packed for so few images that its transform (kernels/winograd.h) costs more than it saves? To write and to read a
 * number of it takes as long as about 128 products.
 */
function isForFew({ height, width }: ConvolutionGeometry, images: number): boolean {
  const tiles = images * Math.ceil(height / 4) * Math.ceil(width / 4);
  return images > 0 && 9 * images * height * width < 36 * ((tiles * 4) / 3 + 128);
}

const numbers = (g: ConvolutionGeometry, flag: number): Raw =>
  constant('int32', [g.height, g.width, g.in, g.out, g.size, g.stride, Number(g.padding === 'circular'), flag]);

/** Convolutions on this device. Native runtime only. */
export function convolutions(precision: Precision): Convolutions {
  needsNative('a convolution');
  return hasFused() ? fusedConvolutions(precision) : composedConvolutions(precision);
}

import type { ConvolutionGeometry } from '../../../tensorflow/ops/convolution.js';
import { attribute, constant, type Raw, run } from '../../../tensorflow/ops/eager.js';
import { hasFused } from '../../../tensorflow/ops/fused.js';
import type { Precision } from '../../../tensorflow/ops/precision.js';

const SIZE = 3;
const STRIDE = 2;

/** The largest value of each 3 × 3 window at stride 2, of rectified maps: the zeros of their padding are never the only largest. */
export interface MaxPool {
  /** y, and x padded, which the other two take. */
  forward(x: Raw): readonly [y: Raw, padded: Raw];
  /** The gradient with respect to x. */
  back(padded: Raw, y: Raw, dy: Raw): Raw;
  /** The tangent of y where x moves along t, of the shape of x. */
  tangent(padded: Raw, y: Raw, t: Raw): Raw;
}

export function maxPool(precision: Precision): MaxPool {
  const T = attribute.type('T', precision);
  const attributes = [
    T,
    attribute.int('ksize', [1, SIZE, SIZE, 1]),
    attribute.int('strides', [1, STRIDE, STRIDE, 1]),
    attribute.string('padding', 'VALID'),
    attribute.string('data_format', 'NHWC'),
  ];
  const pad = (x: Raw): Raw =>
    run('Pad', [T, attribute.type('Tpaddings', 'int32')], [x, constant('int32', [0, 0, 1, 1, 1, 1, 0, 0], [4, 2])])[0];
  return {
    forward(x) {
      const padded = pad(x);
      return [run('MaxPool', attributes, [padded])[0], padded];
    },
    back(padded, y, dy) {
      if (hasFused())
        return run(precision === 'bfloat16' ? 'WeirMaxPoolBack16' : 'WeirMaxPoolBack', [], [padded, y, dy])[0];
      const [whole] = run('MaxPoolGrad', [...attributes, attribute.int('explicit_paddings', [])], [padded, y, dy]);
      const [n, height, width, channels] = padded.shape as [number, number, number, number];
      const begin = constant('int32', [0, 1, 1, 0]);
      const size = constant('int32', [n, height - 2, width - 2, channels]);
      const [dx] = run('Slice', [T, attribute.type('Index', 'int32')], [whole, begin, size]);
      whole.dispose();
      return dx;
    },
    tangent(padded, y, t) {
      const direction = pad(t);
      const [moved] = run('MaxPoolGradGrad', attributes, [padded, y, direction]);
      direction.dispose();
      return moved;
    },
  };
}

const kernels = new Map<string, Raw>();

/**
 * The shortcut without weights (He et al. 2016, option A): every second pixel, with as many channels of zeros before as behind. It
 * is the 1 × 1 convolution, at its stride, by this kernel of zeros and ones.
 */
export function subsampling({ in: from, out }: ConvolutionGeometry): Raw {
  const key = `${from} ${out}`;
  let kernel = kernels.get(key);
  if (kernel === undefined) {
    const before = Math.floor((out - from) / 2);
    const values = Array.from({ length: from * out }, (_, i) => Number((i % out) - before === Math.floor(i / out)));
    kernel = constant('float32', values, [1, 1, from, out]);
    kernels.set(key, kernel);
  }
  return kernel;
}

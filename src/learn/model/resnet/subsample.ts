import type { Geometry } from '../../../tensorflow/ops/convolution-convolution.js';
import { constant, type Raw } from '../../../tensorflow/ops/raw.js';

const kernels = new Map<string, Raw>();

/**
 * The shortcut without weights (He et al. 2016, option A): every second pixel, with as many channels of zeros before as behind. It
 * is the 1 × 1 convolution, at its stride, by this kernel of zeros and ones.
 */
export function subsampling({ in: from, out }: Geometry): Raw {
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

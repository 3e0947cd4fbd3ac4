import { WeirError } from '../../flow/errors.js';
import { tf } from '../../tensorflow/device-tf.js';
import { hasNative } from '../../tensorflow/ops/device-eager.js';
import { hasFused } from '../../tensorflow/ops/fused.js';
import { svd } from '../../tensorflow/ops/native-svd.js';
import { type Certified, type Grid, provenSigma } from '../../tensorflow/ops/spectral.js';
import { scoped } from '../../tensorflow/scoped.js';
import { decomposedSigma } from './decomposed.js';
import { patch } from './spectral-frequencies.js';
import { unrolled } from './unrolled.js';

/** The exact largest singular value: it lies within sigma and sigma + bound. */
export interface ExactSigma extends Certified {
  /**
   * Where the stride divides the size: the frequency, and its wave as one output's kernel meets it, [2, rows · columns · in] (see
   * `patch`), so that ∂σ²/∂W = 2 · patchᵀ (patch W) for the kernel as a matrix W of [rows · columns · in, out].
   */
  readonly wave?: { readonly frequency: number; readonly patch: Float32Array };
}

export interface ExactOptions {
  /** How far above the value the bound may lie, as a part of it. */
  readonly tolerance?: number;
  /** Frequency to begin with: where it was found last. */
  readonly from?: number;
  /** Name for messages. */
  readonly layer?: string;
}

/**
 * The largest singular value of a strided, circularly padded convolution over its input (paper, appendix B and code block 1, which
 * gives its square), with a bound: on the CPU proved in float64 (setup/kernels/spectral.cc).
 *
 * Sizes need not be square, and a kernel may be larger than its input: its taps wrap around. Where the stride does not divide the
 * size, no Fourier transform takes the operator apart, and the matrix itself is made; its padding is ⌊(size − 1)/2⌋ before the image.
 *
 * @param kernel HWIO; only read
 * @throws {WeirError} a kernel that is not finite; a matrix that is too large to make; no native runtime
 */
export function exactSigma(
  kernel: tf.Tensor4D,
  { height, width, stride }: Grid,
  { tolerance = 1e-6, from = 0, layer }: ExactOptions = {},
): ExactSigma {
  needsNative();
  if (height % stride !== 0 || width % stride !== 0) {
    const options = { tolerance, ...(layer && { layer }) };
    const { sigma, bound } = scoped(() => exactDense(unrolled(kernel, { height, width, stride }), options));
    return { sigma, bound };
  }
  const grid = { height, width, stride };
  const { sigma, bound, frequency, amplitudes } = hasFused()
    ? provenSigma(kernel, grid, { tolerance, from })
    : decomposedSigma(kernel, grid);
  return {
    sigma: finite(sigma, layer),
    bound,
    wave: { frequency, patch: patch({ frequency, amplitudes }, grid, kernel.shape) },
  };
}

/** The same of a dense layer's kernel, [in, out]: a convolution on one pixel. Without the native runtime by Jacobi rotations. */
export function exactDense(kernel: tf.Tensor2D, options: ExactOptions = {}): ExactSigma {
  const [rows, columns] = kernel.shape;
  if (hasNative()) {
    return scoped(() =>
      exactSigma(
        tf.reshape(kernel, [1, 1, rows, columns]),
        { height: 1, width: 1, stride: 1 },
        { ...options, from: 0 },
      ),
    );
  }
  const { s, u, v } = svd(kernel);
  const sigma = finite(s.dataSync()[0]!, options.layer);
  const patch = new Float32Array(2 * rows);
  const values = u.dataSync<'float32'>();
  for (let i = 0; i < rows; i++) patch[i] = values[i * u.shape[1]!]!;
  tf.dispose([s, u, v]);
  return { sigma, bound: sigma * (rows + columns) * 2 ** -23, wave: { frequency: 0, patch } };
}

/** @throws {WeirError} where σ is not a number */
export function finite(sigma: number, layer?: string): number {
  if (Number.isFinite(sigma)) return sigma;
  throw new WeirError(
    `${layer === undefined ? 'a kernel' : `the kernel of layer '${layer}'`} is not finite: it has no spectral norm`,
    'training diverged: take a smaller learning rate or γ, and go on from the last snapshot',
  );
}

function needsNative(): void {
  if (hasNative()) return;
  throw new WeirError(
    'σ of a convolution needs the native TensorFlow runtime',
    'run `weir doctor`, which says what is missing: mostly a C++ compiler or pip',
  );
}

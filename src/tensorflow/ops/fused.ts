import { runtime, tf } from '../tf.js';
import { attribute, execute, executeAll, hasNative } from './eager.js';

const T = attribute.type('T', 'float32');

/** max(x, 0), with TensorFlow's own gradient: TensorFlow.js composes one that takes nine times as long. */
export function relu<X extends tf.Tensor>(x: X): X {
  if (!hasNative()) return tf.relu(x);
  const rectified = tf.customGrad((x, save) => {
    const y = execute('Relu', [T], [x as tf.Tensor]);
    (save as tf.GradSaveFunc)([y]);
    return { value: y, gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => reluGrad(dy, y!) };
  });
  return rectified(x) as X;
}

/**
 * dy where the rectifier let its input through, 0 elsewhere.
 *
 * @param features what went into the rectifier or what came out of it: they agree in sign
 */
export function reluGrad<X extends tf.Tensor>(dy: X, features: X): X {
  if (hasNative()) return execute('ReluGrad', [T], [dy, features]) as X;
  return tf.tidy(() => tf.mul(dy, tf.step(features)) as X);
}

/** Up to this many outputs the product of a layer is cheaper inside the pass of its activation. */
export const narrow = 32;

/** Whether the operations of kernels/ are in the binding and this is a CPU; undefined until it was first asked. */
let available: boolean | undefined;

/** Whether the kernels of Weir's own are there. Without them the same results come from TensorFlow's operations. */
export function hasFused(): boolean {
  available ??= hasNative() && runtime().device === 'CPU' && hasKernels();
  return available;
}

function hasKernels(): boolean {
  return tf.tidy(() => {
    try {
      return execute('WeirGelu', [], [tf.zeros([1, 1]), tf.zeros([1]), tf.scalar(1)]).dataSync()[0] === 0;
    } catch {
      return false; // a binding compiled without them
    }
  });
}

/** gelu((z + bias) · scale) for z of [n, width], GELU by erf (within 2e-7); in one pass. No gradient. Only where `hasFused()`. */
export function fusedGelu(z: tf.Tensor2D, bias: tf.Tensor1D, scale: number): tf.Tensor2D {
  return tf.tidy(() => execute('WeirGelu', [], [z, bias, tf.scalar(scale)]) as tf.Tensor2D);
}

/** The same with its derivative with respect to z. Only where `hasFused()`. */
export function fusedGeluSlope(z: tf.Tensor2D, bias: tf.Tensor1D, scale: number): [h: tf.Tensor2D, slope: tf.Tensor2D] {
  return tf.tidy(() => executeAll('WeirGeluSlope', [], [z, bias, tf.scalar(scale)], 2)) as [tf.Tensor2D, tf.Tensor2D];
}

/**
 * gelu((z + y + bias) · scale) · kernel for z and y of [n, width] and a kernel of at most `narrow` columns: the activations never
 * reach memory. No gradient. Only where `hasFused()`.
 */
export function fusedGeluProduct(
  [z, y]: readonly [tf.Tensor2D, tf.Tensor2D],
  bias: tf.Tensor1D,
  scale: number,
  kernel: tf.Tensor2D,
): tf.Tensor2D {
  return tf.tidy(() => execute('WeirGeluProduct', [], [z, y, bias, tf.scalar(scale), kernel]) as tf.Tensor2D);
}

/**
 * clamp(z_r, least_i, most_i) − z_r of the rows r = rows_i, [c, n]; in one pass where there is one.
 *
 * @param z [d, n] @param rows [c], int32 @param least [c] @param most [c]
 */
export function clampedRows(z: tf.Tensor2D, rows: tf.Tensor1D, least: tf.Tensor1D, most: tf.Tensor1D): tf.Tensor2D {
  if (hasFused()) return execute('WeirClampedRows', [], [z, rows, least, most]) as tf.Tensor2D;
  return tf.tidy(() => {
    const taken = tf.gather(z, rows);
    return tf.sub(tf.minimum(tf.maximum(taken, tf.expandDims(least, 1)), tf.expandDims(most, 1)), taken);
  });
}

/**
 * Back through a dense layer and the activation before it: dz = (d · kernelᵀ) ⊙ slope, and its sum over the samples.
 *
 * @param d [n, out] @param kernel [in, out] @param slope [n, in]
 */
export function pullBack(d: tf.Tensor2D, kernel: tf.Tensor2D, slope: tf.Tensor2D): [dz: tf.Tensor2D, sum: tf.Tensor1D] {
  return tf.tidy(() => {
    if (d.shape[1] <= narrow && hasFused()) return executeAll('WeirPull', [], [d, kernel, slope], 2);
    const dz = tf.mul(tf.matMul(d, kernel, false, true), slope);
    return [dz, tf.sum(dz, 0)];
  }) as [tf.Tensor2D, tf.Tensor1D];
}

/** g + v tᵀ for g of [in, out], v of in and t of out numbers; in one pass where there is one. */
export function addOuter(g: tf.Tensor2D, v: tf.Tensor, t: tf.Tensor): tf.Tensor2D {
  if (hasFused()) return execute('WeirAddOuter', [], [g, v, t]) as tf.Tensor2D;
  return tf.tidy(() => tf.add(g, tf.matMul(tf.reshape(v, [-1, 1]), tf.reshape(t, [1, -1]))));
}

/** v ← momentum · v + (g + decay · w), w ← w − rate · v; in one pass where there is one. The tensors returned are new. */
export function sgdStep(
  w: tf.Tensor,
  g: tf.Tensor,
  velocity: tf.Tensor,
  { rate, momentum, decay }: { readonly rate: number; readonly momentum: number; readonly decay: number },
): [w: tf.Tensor, velocity: tf.Tensor] {
  return tf.tidy(() => {
    if (hasFused()) return executeAll('WeirSgd', [], [w, g, velocity, tf.tensor1d([rate, momentum, decay])], 2);
    const next = tf.add(tf.mul(velocity, momentum), tf.add(g, tf.mul(w, decay)));
    return [tf.sub(w, tf.mul(next, rate)), next];
  }) as [tf.Tensor, tf.Tensor];
}

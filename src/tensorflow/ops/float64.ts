import { tf } from '../tf.js';
import { type Attribute, attribute, type Handle, nativeBackend, Raw, type types } from './eager.js';

/**
 * A matrix in float64, a type that TensorFlow.js does not have: by its number in the runtime. Its owner disposes of it. For the native
 * runtime only; without gradients.
 */
export class Float64 extends Raw {
  /** Its values, to 48 of their 53 bits and in the range of float32: each is read as a float32 and the remainder. */
  values(): Float64Array {
    const { binding } = nativeBackend();
    const high = cast(this.id, 'float64', 'float32');
    const back = cast(high.id, 'float32', 'float64');
    const rest = apply('Sub', [this.id, back.id]);
    const low = cast(rest.id, 'float64', 'float32');
    for (const { id } of [back, rest]) binding.deleteTensor(id);
    const halves = [high, low].map((handle) => nativeBackend().createOutputTensor(handle));
    const [h, l] = halves.map((half) => half.dataSync<'float32'>()) as [Float32Array, Float32Array];
    const values = new Float64Array(h.length);
    for (let i = 0; i < h.length; i++) values[i] = h[i]! + l[i]!;
    tf.dispose(halves);
    return values;
  }
}

/** The values of x. */
export function toFloat64(x: tf.Tensor): Float64 {
  return new Float64(cast(nativeBackend().getInputTensorIds([x])[0]!, 'float32', 'float64'));
}

/** Values of the host, to 48 of their 53 bits and in the range of float32. */
export function float64(values: Float64Array, shape: readonly number[]): Float64 {
  const high = Float32Array.from(values);
  const low = new Float32Array(values.length);
  for (let i = 0; i < low.length; i++) low[i] = values[i]! - high[i]!;
  const halves = [high, low].map((half) => {
    const tensor = tf.tensor(half, [...shape]);
    const whole = toFloat64(tensor);
    tensor.dispose();
    return whole;
  }) as [Float64, Float64];
  const sum = addFloat64(...halves);
  for (const half of halves) half.dispose();
  return sum;
}

/** a·b. */
export function matMulFloat64(a: Float64, b: Float64, transposeA = false, transposeB = false): Float64 {
  const flags = [attribute.bool('transpose_a', transposeA), attribute.bool('transpose_b', transposeB)];
  return new Float64(apply('MatMul', [a.id, b.id], flags));
}

/** a + b and a ⊙ b; sides of length 1 are repeated. */
export const addFloat64 = (a: Float64, b: Float64): Float64 => new Float64(apply('AddV2', [a.id, b.id]));
export const mulFloat64 = (a: Float64, b: Float64): Float64 => new Float64(apply('Mul', [a.id, b.id]));

/** The inverse of a square matrix. @throws where it has none */
export const inverseFloat64 = (a: Float64): Float64 =>
  new Float64(apply('MatrixInverse', [a.id], [attribute.bool('adjoint', false)]));

/** Those rows of a matrix, in the order given. */
export function rowsFloat64(a: Float64, rows: Int32Array): Float64 {
  const [indices, axis] = [tf.tensor1d(rows, 'int32'), tf.scalar(0, 'int32')];
  const ids = nativeBackend().getInputTensorIds([indices, axis]);
  const attributes = [
    attribute.type('Tparams', 'float64'),
    attribute.type('Tindices', 'int32'),
    attribute.type('Taxis', 'int32'),
    attribute.int('batch_dims', 0),
  ];
  const [handle] = nativeBackend().binding.executeOp('GatherV2', attributes, [a.id, ...ids], 1);
  tf.dispose([indices, axis]);
  return new Float64(handle!);
}

function apply(name: string, inputs: readonly number[], more: readonly Attribute[] = []): Handle {
  return nativeBackend().binding.executeOp(name, [attribute.type('T', 'float64'), ...more], inputs, 1)[0]!;
}

function cast(id: number, from: keyof typeof types, to: keyof typeof types): Handle {
  const attributes = [attribute.type('SrcT', from), attribute.type('DstT', to), attribute.bool('Truncate', false)];
  return nativeBackend().binding.executeOp('Cast', attributes, [id], 1)[0]!;
}

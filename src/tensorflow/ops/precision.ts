import { WeirError } from '../../flow/errors.js';
import { cpuFeatures } from '../install/release.js';
import { runtime, type tf } from '../tf.js';
import { attribute, constant, type Handle, nativeBackend, type Raw, run, type types } from './eager.js';

/** A tensor in bfloat16, a type that TensorFlow.js does not have: by its number in the runtime. Its owner disposes of it. */
class Bfloat16 {
  constructor(private readonly handle: Handle) {}

  get id(): number {
    return this.handle.id;
  }

  get shape(): readonly number[] {
    return this.handle.shape;
  }

  dispose(): void {
    nativeBackend().binding.deleteTensor(this.handle.id);
  }
}

/** Whether bfloat16 is fast here: with instructions for it (avx512_bf16, amx_bf16, Arm's bf16), or on a GPU. */
export function supportsBfloat16(): boolean {
  const { kind, device } = runtime();
  if (kind !== 'native') return false;
  return device === 'GPU' || cpuFeatures().some((name) => ['avx512_bf16', 'amx_bf16', 'bf16'].includes(name));
}

/** x rounded to bfloat16 (8 bits of mantissa). Native runtime only. */
export function toBfloat16(x: tf.Tensor): Bfloat16 {
  return new Bfloat16(castHandle(nativeBackend().getInputTensorIds([x])[0]!, 'float32', 'bfloat16'));
}

/** a·b with both factors rounded to bfloat16, and the product in float32. Native runtime only; no gradient. */
export function matMulBfloat16(
  a: tf.Tensor | Bfloat16,
  b: tf.Tensor | Bfloat16,
  transposeA = false,
  transposeB = false,
): tf.Tensor2D {
  const backend = nativeBackend();
  const [x, y] = [a, b].map((factor) => (factor instanceof Bfloat16 ? factor : toBfloat16(factor))) as [
    Bfloat16,
    Bfloat16,
  ];
  const attributes = [
    attribute.type('T', 'bfloat16'),
    attribute.bool('transpose_a', transposeA),
    attribute.bool('transpose_b', transposeB),
  ];
  try {
    const [product] = backend.binding.executeOp('MatMul', attributes, [x.id, y.id], 1);
    const result = castHandle(product!.id, 'bfloat16', 'float32');
    backend.binding.deleteTensor(product!.id);
    return backend.createOutputTensor(result) as tf.Tensor2D;
  } finally {
    if (x !== a) x.dispose();
    if (y !== b) y.dispose();
  }
}

function castHandle(id: number, from: keyof typeof types, to: keyof typeof types): Handle {
  const attributes = [attribute.type('SrcT', from), attribute.type('DstT', to), attribute.bool('Truncate', false)];
  return nativeBackend().binding.executeOp('Cast', attributes, [id], 1)[0]!;
}

/** The type of activations and their gradients. Weights, statistics, sums and losses are float32 either way. */
export type Precision = 'float32' | 'bfloat16';

export const precisions: readonly Precision[] = ['float32', 'bfloat16'];

/** @throws {WeirError} where this device has no bfloat16 */
export function checkPrecision(precision: Precision): void {
  if (precision === 'float32' || supportsBfloat16()) return;
  throw new WeirError(
    "precision 'bfloat16' was asked for, but this device has no instructions for it",
    "leave precision at 'float32'; `weir doctor` lists what the processor has",
  );
}

/** x of type `from` in type `to`; a new tensor. */
export function cast(x: Raw, from: Precision, to: Precision): Raw {
  if (from === to) return run('Identity', [attribute.type('T', from)], [x])[0];
  const attributes = [attribute.type('SrcT', from), attribute.type('DstT', to), attribute.bool('Truncate', false)];
  return run('Cast', attributes, [x])[0];
}

const empties = new Map<Precision, Raw>();

/** An empty tensor, in the place of an optional input. */
export function nothing(precision: Precision = 'float32'): Raw {
  let empty = empties.get(precision);
  if (empty === undefined) {
    empty = cast(constant('float32', []), 'float32', precision);
    empties.set(precision, empty);
  }
  return empty;
}

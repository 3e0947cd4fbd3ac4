import { runtime, type tf } from '../device-tf.js';
import { cpuFeatures } from '../install/cpu.js';
import { attribute, type Handle, nativeBackend, type types } from './device-eager.js';

/** A tensor in bfloat16, a type that TensorFlow.js does not know: held by its number in the runtime, disposed of by its owner. */
export class Bfloat16 {
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

/** Does bfloat16 pay here: are there instructions for it (avx512_bf16, amx_bf16, Arm's bf16), or a GPU? */
export function supportsBfloat16(): boolean {
  const { kind, device } = runtime();
  if (kind !== 'native') return false;
  return device === 'GPU' || cpuFeatures().some((name) => ['avx512_bf16', 'amx_bf16', 'bf16'].includes(name));
}

/** x rounded to bfloat16 (8 bits of mantissa). Native runtime only. */
export function toBfloat16(x: tf.Tensor): Bfloat16 {
  return new Bfloat16(castHandle(nativeBackend().getInputTensorIds([x])[0]!, 'float32', 'bfloat16'));
}

/** a·b with both factors rounded to bfloat16, and the product given back in float32. Native runtime only; no gradient. */
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

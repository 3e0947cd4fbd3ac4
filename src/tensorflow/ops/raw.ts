import { WeirError } from '../../flow/errors.js';
import type { tf } from '../device-tf.js';
import { type Attribute, type Handle, hasNative, nativeBackend, types } from './device-eager.js';

/**
 * A tensor by its number in the native runtime: of any type, bfloat16 included, and unknown to `tf.tidy`. Whoever has it made
 * disposes of it; what is lent by a TensorFlow.js tensor stays that tensor's.
 */
export class Raw {
  constructor(
    private readonly handle: Handle,
    private readonly lent = false,
  ) {}

  get id(): number {
    return this.handle.id;
  }

  get shape(): readonly number[] {
    return this.handle.shape;
  }

  dispose(): void {
    if (!this.lent) nativeBackend().binding.deleteTensor(this.handle.id);
  }

  /** As a TensorFlow.js tensor, which it belongs to from now on. float32 and int32 only. */
  toTensor<T extends tf.Tensor>(): T {
    return nativeBackend().createOutputTensor(this.handle) as T;
  }
}

/** What a TensorFlow.js tensor holds, for as long as that is there. */
export function lent(x: tf.Tensor): Raw {
  const id = nativeBackend().getInputTensorIds([x])[0]!;
  return new Raw({ id, shape: x.shape, dtype: types.float32 }, true);
}

/** Runs one TensorFlow operation on tensors by number. */
export function run(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly Raw[],
  outputs = 1,
): readonly [Raw, ...Raw[]] {
  const ids = inputs.map(({ id }) => id);
  const made = nativeBackend().binding.executeOp(name, attributes, ids, outputs);
  return made.map((handle) => new Raw(handle)) as [Raw, ...Raw[]];
}

/** Few, small, and the same all along: kept for the life of the process. */
const constants = new Map<string, Raw>();

/** A constant vector or matrix, made once. */
export function constant(type: 'float32' | 'int32', values: readonly number[], shape = [values.length]): Raw {
  const key = `${type} ${shape.join()} ${values.join()}`;
  let known = constants.get(key);
  if (known === undefined) {
    const array = type === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
    const id = nativeBackend().binding.createTensor(shape, types[type], array);
    known = new Raw({ id, shape, dtype: types[type] }, true);
    constants.set(key, known);
  }
  return known;
}

/** @throws {WeirError} where no native runtime is in use */
export function needsNative(what: string): void {
  if (hasNative()) return;
  throw new WeirError(
    `${what} needs the native TensorFlow runtime: WebAssembly has no gradients of convolutions`,
    'run `weir doctor`, which says what is missing: mostly a C++ compiler or pip',
  );
}

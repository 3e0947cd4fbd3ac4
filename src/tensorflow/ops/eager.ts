import { WeirError } from '../../flow/errors.js';
import { tf } from '../tf.js';

/** An attribute of a TensorFlow operation, as the binding takes it. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | string | readonly number[];
}

/** What a tensor is inside the native runtime. */
export interface Handle {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The binding of the C API. Handles made here are not known to TensorFlow.js: whoever makes one releases it. */
interface Binding {
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  executeOp(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputs: number): Handle[];
  isUsingGpuDevice(): boolean;
  readonly TF_Version: string;
}

/** The backend of the native runtime, as far as Weir goes past TensorFlow.js's own interface. */
interface NativeBackend {
  readonly binding: Binding;
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
  getInputTensorIds(inputs: readonly tf.Tensor[]): number[];
  createOutputTensor(handle: Handle): tf.Tensor;
}

/** Numbers of TF_DataType (tensorflow/c/tf_datatype.h). */
export const types = {
  float32: 1,
  float64: 2,
  int32: 3,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
} as const;

/** Numbers of TF_AttrType (tensorflow/c/c_api.h). */
const attributeTypes = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 } as const;

/** Attributes by kind: `attribute.int('num_args', 1)`. */
export const attribute = {
  string: (name: string, value: string): Attribute => ({ name, type: attributeTypes.string, value }),
  int: (name: string, value: number | readonly number[]): Attribute => ({ name, type: attributeTypes.int, value }),
  float: (name: string, value: number): Attribute => ({ name, type: attributeTypes.float, value }),
  bool: (name: string, value: boolean): Attribute => ({ name, type: attributeTypes.bool, value }),
  type: (name: string, type: keyof typeof types): Attribute => ({
    name,
    type: attributeTypes.type,
    value: types[type],
  }),
};

/** Is the native runtime the one in use? */
export function hasNative(): boolean {
  return tf.getBackend() === 'tensorflow';
}

/** The backend of the native runtime; call it only where `hasNative()`. */
export function nativeBackend(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

/** Runs one TensorFlow operation that has one output. */
export function execute(name: string, attributes: readonly Attribute[], inputs: readonly tf.Tensor[]): tf.Tensor {
  return nativeBackend().executeSingleOutput(name, attributes, inputs);
}

/** Runs one TensorFlow operation that has several outputs. */
export function executeAll(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly tf.Tensor[],
  outputs: number,
): tf.Tensor[] {
  return nativeBackend().executeMultipleOutputs(name, attributes, inputs, outputs);
}

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
    `${what} needs the native TensorFlow runtime`,
    'run `weir doctor`, which says what is missing: mostly a C++ compiler or pip',
  );
}

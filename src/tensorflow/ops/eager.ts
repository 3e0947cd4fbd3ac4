import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { Random } from '../../flow/random.js';
import { cpuFeatures } from '../install/release.js';
import { runtime, tf } from '../tf.js';

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

/** Whether bfloat16 is fast here: with instructions for it (avx512_bf16, amx_bf16, Arm's bf16), or on a GPU. */
export function supportsBfloat16(): boolean {
  const { kind, device } = runtime();
  if (kind !== 'native') return false;
  return device === 'GPU' || cpuFeatures().some((name) => ['avx512_bf16', 'amx_bf16', 'bf16'].includes(name));
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

/** The key of random numbers, two int32: `seeds(...)` of flow/random.ts makes them. */
export type Seeds = readonly [number, number];

/**
 * Standard normal numbers that are a function of `seeds` and `shape` alone (TensorFlow's Philox, whatever the threads).
 *
 * The WebAssembly runtime takes the generator of flow/random.ts: other numbers, equally reproducible, ten times slower.
 */
export function statelessNormal(shape: readonly number[], seeds: Seeds): tf.Tensor {
  if (hasNative()) {
    const types = [attribute.type('dtype', 'float32'), attribute.type('T', 'int32'), attribute.type('Tseed', 'int32')];
    return tf.tidy(() =>
      execute('StatelessRandomNormal', types, [tf.tensor1d([...shape], 'int32'), tf.tensor1d([...seeds], 'int32')]),
    );
  }
  const random = new Random(...seeds);
  return tf.tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
    [...shape],
  );
}

import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import type { StoredTensor } from '../../learn/weights/safetensors.js';
import { writeAtomically } from '../../storage/disk.js';
import { version } from '../../storage/file-format.js';
import { bytes, float, integer, message, type ProtobufFields, text } from '../../storage/protobuf.js';
import { remedy } from '../table.js';

/**
 * ONNX files: the few messages of `onnx.proto` that a network needs, by the numbers of their fields there
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * @module
 */

/** The version of the operators: the first with `Gelu`. Pad has the mode 'wrap' from 19 on. */
export const opset = 20;

/** The version of the format that came with these operators. */
const irVersion = 9;

/** An attribute of a node: a whole number, several, a text, or a real number, told by `{ float }`. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** A tensor of float32, whose first axis is the batch, of any size. */
export interface OnnxValue {
  readonly name: string;
  /** Of one sample. */
  readonly shape: readonly number[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly input: OnnxValue;
  readonly outputs: readonly OnnxValue[];
  /** In the order in which they are computed. */
  readonly nodes: readonly OnnxNode[];
  /** Constants of float32, by name. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
  /** Lists of whole numbers that nodes take as inputs, by name. */
  readonly lists: ReadonlyMap<string, readonly number[]>;
}

/** Bytes of a protobuf message at most: readers keep its length in a signed number of 32 bits. */
const most = 2 ** 31 - 1;

/**
 * Writes a graph as an ONNX file, whole or not at all. Its weights are not copied.
 *
 * @param metadata goes into `metadata_props`, with Weir's version under 'weir'
 * @throws {WeirError} where it would have 2 GB or more, which no protobuf message may have
 */
export function writeOnnx(file: string, graph: OnnxGraph, metadata: Readonly<Record<string, string>>): void {
  const parts = modelParts(graph, metadata);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > most) {
    throw new WeirError(
      `the network would have ${(length / 2 ** 30).toFixed(1)} GiB as ONNX, and a protobuf message has less than 2`,
      'export its weights as .safetensors, which has no such limit',
    );
  }
  writeAtomically(file, parts, { remedy });
}

function modelParts(graph: OnnxGraph, metadata: Readonly<Record<string, string>>): ProtobufFields[] {
  const properties = Object.entries({ ...metadata, weir: version });
  return [
    integer(1, irVersion),
    text(2, 'weir'),
    text(3, version),
    ...message(7, graphParts(graph)),
    bytes(8, text(1, ''), integer(2, opset)),
    ...properties.map(([key, value]) => bytes(14, text(1, key), text(2, value))),
  ];
}

const graphParts = ({ name, input, outputs, nodes, weights, lists }: OnnxGraph): ProtobufFields[] => [
  ...nodes.map((node) => bytes(1, ...nodeFields(node))),
  text(2, name),
  ...[...weights].flatMap(([name, { shape, values }]) => message(5, tensorParts(name, shape, types.float, values))),
  ...[...lists].flatMap(([name, values]) =>
    message(5, tensorParts(name, [values.length], types.int64, BigInt64Array.from(values, BigInt))),
  ),
  bytes(11, ...valueFields(input)),
  ...outputs.map((output) => bytes(12, ...valueFields(output))),
];

const nodeFields = ({ name, operator, inputs, output, attributes = {} }: OnnxNode): ProtobufFields[] => [
  ...inputs.map((input) => text(1, input)),
  text(2, output),
  text(3, name),
  text(4, operator),
  ...Object.entries(attributes).map(([key, value]) => bytes(5, text(1, key), ...attributeFields(value))),
];

function attributeFields(value: OnnxAttribute): ProtobufFields[] {
  if (typeof value === 'number') return [integer(3, value), integer(20, 2)];
  if (typeof value === 'string') return [text(4, value), integer(20, 3)];
  if ('float' in value) return [float(2, value.float), integer(20, 1)];
  return [...value.map((one) => integer(8, one)), integer(20, 7)];
}

/** Of the elements of a tensor. */
const types = { float: 1, int64: 7 } as const;

function tensorParts(
  name: string,
  shape: readonly number[],
  type: number,
  { buffer, byteOffset, byteLength, length }: Float32Array | BigInt64Array,
): ProtobufFields[] {
  if (length !== sizeOf(shape)) throw new Error(`tensor '${name}' of shape [${shape.join(', ')}] has ${length} values`);
  const head = [...shape.map((size) => integer(1, size)), integer(2, type), text(8, name)];
  return [...head, ...message(9, [new Uint8Array(buffer, byteOffset, byteLength)])]; // little-endian, as all that runs Node
}

function valueFields({ name, shape }: OnnxValue): ProtobufFields[] {
  const sizes = [text(2, 'batch'), ...shape.map((size) => integer(1, size))];
  const dimensions = bytes(2, ...sizes.map((size) => bytes(1, size)));
  return [text(1, name), bytes(2, bytes(1, integer(1, types.float), dimensions))];
}

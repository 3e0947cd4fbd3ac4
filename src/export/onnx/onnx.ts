import { WeirError } from '../../flow/errors.js';
import type { Model } from '../../learn/model/model.js';
import type {
  ConvOperation,
  DenseOperation,
  NormalizeOperation,
  Operation,
  PoolOperation,
  SubsampleOperation,
} from '../../learn/model/operations.js';
import { torchNames, toTorch } from '../../learn/weights/pretrained.js';
import type { StoredTensor } from '../../learn/weights/safetensors.js';
import type { SavedTensors } from '../../learn/weights/saved-tensors.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode } from './onnx-file.js';

/**
 * A network in evaluation as a graph of ONNX's operators: what `logits` and `features` of the model compute, as the outputs of these
 * names. Its input 'input' is float32 of [batch, channels, height, width], or [batch, width] for vectors, in the units that it was trained
 * with; the batch may have any size.
 *
 * Weights have PyTorch's names and layouts, as in `weir export` to safetensors.
 *
 * @throws {WeirError} for a model that does not state its steps, and for a weight that is missing or of another shape than its step takes
 * @example writeOnnx('small.onnx', onnxGraph(model, weights), toMetadata(metadata));
 */
export function onnxGraph(
  { name, inputShape, operations }: Pick<Model, 'name' | 'inputShape' | 'operations'>,
  weights: SavedTensors,
): OnnxGraph {
  if (operations === undefined) {
    throw new WeirError(
      `${name} does not state its steps in evaluation, so it has no form in ONNX`,
      'export its weights as .safetensors, or make it of layers that Weir has',
    );
  }
  const builder = new GraphBuilder(name, weights);
  const input = { name: 'input', shape: inputShape };
  const features = builder.through(operations.features, input);
  const logits = builder.through(operations.outputs, features);
  const outputs = builder.called([
    [logits, 'logits'],
    [features, 'features'],
  ]);
  const { nodes, used, lists } = builder;
  return { name, input: { ...input, shape: channelsFirst(inputShape) }, outputs, nodes, weights: used, lists };
}

/** A value of the graph. The shape is that of one sample in Weir's order, [height, width, channels] or [width]. */
interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

const channelsFirst = (shape: readonly number[]): readonly number[] =>
  shape.length === 3 ? [shape[2]!, shape[0]!, shape[1]!] : shape;

type Attributes = Readonly<Record<string, OnnxAttribute>>;

const elementwise = { relu: 'Relu', gelu: 'Gelu', tanh: 'Tanh', sigmoid: 'Sigmoid' } as const;

class GraphBuilder {
  nodes: OnnxNode[] = [];
  /** The weights that nodes take, as they stand in the file. */
  readonly used = new Map<string, StoredTensor>();
  readonly lists = new Map<string, readonly number[]>();
  private readonly weights: ReadonlyMap<string, StoredTensor>;
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly network: string,
    weights: SavedTensors,
  ) {
    this.weights = new Map(weights.map(({ name, ...tensor }) => [name, tensor]));
  }

  /** The operations one behind another. */
  through(operations: readonly Operation[], x: Value): Value {
    return operations.reduce((x, operation) => this.one(operation, x), x);
  }

  /** The values under new names: outputs of the graph. One that is an input, or has a name already, is copied. */
  called(wanted: readonly (readonly [Value, string])[]): Value[] {
    const names = new Map<string, string>();
    for (const [value, name] of wanted) {
      const made = this.nodes.some(({ output }) => output === value.name);
      if (made && !names.has(value.name)) names.set(value.name, name);
      else this.nodes.push({ name, operator: 'Identity', inputs: [value.name], output: name });
    }
    const renamed = (name: string): string => names.get(name) ?? name;
    this.nodes = this.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(renamed),
      output: renamed(node.output),
    }));
    return wanted.map(([{ shape }, name]) => ({ name, shape: channelsFirst(shape) }));
  }

  private one(operation: Operation, x: Value): Value {
    switch (operation.kind) {
      case 'dense':
        return this.dense(operation, x);
      case 'conv':
        return this.conv(operation, x);
      case 'normalize':
        return this.normalize(operation, x);
      case 'activation': {
        const attributes = operation.name === 'gelu' ? { approximate: 'none' } : undefined; // by erf
        return this.node(elementwise[operation.name], [x.name], x.shape, attributes);
      }
      case 'maxPool':
      case 'meanPool':
        return this.pool(operation, x);
      case 'globalMean': {
        const mean = this.node('GlobalAveragePool', [x.name], [1, 1, x.shape[2]!]);
        return this.node('Flatten', [mean.name], [x.shape[2]!], { axis: 1 });
      }
      case 'subsample':
        return this.subsample(operation, x);
      case 'sum': {
        const [first, ...others] = operation.branches.map((branch) => this.through(branch, x));
        return others.reduce((sum, { name }) => this.node('Add', [sum.name, name], sum.shape), first!);
      }
    }
  }

  private dense({ kernel, bias, factor = 1 }: DenseOperation, given: Value): Value {
    const x = this.flat(given);
    const outputs = this.weight(kernel).shape[1]!;
    const names = [
      this.weightName(kernel, [x.shape[0]!, outputs]),
      ...(bias === undefined ? [] : [this.weightName(bias, [outputs])]),
    ];
    const scale: Attributes = factor === 1 ? {} : { alpha: { float: factor }, beta: { float: factor } }; // of product and bias
    return this.node('Gemm', [x.name, ...names], [outputs], { transB: 1, ...scale });
  }

  private conv({ kernel, bias, size, stride, padding }: ConvOperation, x: Value): Value {
    const [height, width, channels] = x.shape as [number, number, number];
    const out = this.weight(kernel).shape[3]!;
    const names = [
      this.weightName(kernel, [size, size, channels, out]),
      ...(bias === undefined ? [] : [this.weightName(bias, [out])]),
    ];
    const half = (size - 1) / 2;
    const wraps = padding === 'circular' && half > 0;
    const padded = wraps ? this.pad(x, { spatial: half, mode: 'wrap' }) : x;
    const shape = [Math.ceil(height / stride), Math.ceil(width / stride), out];
    return this.node('Conv', [padded.name, ...names], shape, {
      kernel_shape: [size, size],
      strides: [stride, stride],
      pads: wraps ? [0, 0, 0, 0] : [half, half, half, half],
    });
  }

  private normalize({ scale, offset, mean, variance, epsilon }: NormalizeOperation, x: Value): Value {
    const channels = [x.shape.at(-1)!];
    const names = [scale, offset, mean, variance].map((name) => this.weightName(name, channels));
    return this.node('BatchNormalization', [x.name, ...names], x.shape, { epsilon: { float: epsilon } });
  }

  private pool({ kind, size, stride, edge }: PoolOperation, x: Value): Value {
    const [height, width, channels] = x.shape as [number, number, number];
    const across = (from: number): number => Math.floor((from + 2 * edge - size) / stride) + 1;
    return this.node(
      kind === 'maxPool' ? 'MaxPool' : 'AveragePool',
      [x.name],
      [across(height), across(width), channels],
      { kernel_shape: [size, size], strides: [stride, stride], pads: [edge, edge, edge, edge] },
    );
  }

  private subsample({ stride, out }: SubsampleOperation, x: Value): Value {
    const [height, width, channels] = x.shape as [number, number, number];
    const every = this.node(
      'Slice',
      [
        x.name,
        this.list('starts', [0, 0]),
        this.list('ends', [height, width]),
        this.list('axes', [2, 3]),
        this.list('steps', [stride, stride]),
      ],
      [Math.ceil(height / stride), Math.ceil(width / stride), channels],
    );
    const before = Math.floor((out - channels) / 2);
    return this.pad(every, { channels: [before, out - channels - before], mode: 'constant' });
  }

  private pad(
    x: Value,
    {
      spatial = 0,
      channels = [0, 0],
      mode,
    }: { spatial?: number; channels?: readonly [before: number, behind: number]; mode: 'wrap' | 'constant' },
  ): Value {
    const pads = [0, channels[0], spatial, spatial, 0, channels[1], spatial, spatial];
    const [height, width, depth] = x.shape as [number, number, number];
    const shape = [height + 2 * spatial, width + 2 * spatial, depth + channels[0] + channels[1]];
    return this.node('Pad', [x.name, this.list('pads', pads)], shape, { mode });
  }

  /** A map as a vector in Weir's order, channels last. */
  private flat(x: Value): Value {
    if (x.shape.length === 1) return x;
    const last = this.node('Transpose', [x.name], x.shape, { perm: [0, 2, 3, 1] });
    return this.node('Flatten', [last.name], [x.shape.reduce((product, size) => product * size, 1)], { axis: 1 });
  }

  private node(
    operator: string,
    inputs: readonly string[],
    shape: readonly number[],
    attributes: Attributes = {},
  ): Value {
    const count = (this.counts.get(operator) ?? 0) + 1;
    this.counts.set(operator, count);
    const name = `${operator}${count}`;
    this.nodes.push({ name, operator, inputs, output: name, attributes });
    return { name, shape };
  }

  /** The name of a list that nodes share. */
  private list(kind: string, values: readonly number[]): string {
    const name = `${kind}_${values.join('_')}`;
    this.lists.set(name, values);
    return name;
  }

  private weight(name: string): StoredTensor {
    const found = this.weights.get(name);
    if (found !== undefined) return found;
    throw new WeirError(
      `the weights have no '${name}', which ${this.network} needs`,
      'export the network that they are of',
    );
  }

  /** The name of a weight in the file, which then holds it. @throws {WeirError} where it has another shape */
  private weightName(name: string, shape: readonly number[]): string {
    const tensor = this.weight(name);
    if (tensor.shape.join() !== shape.join()) {
      throw new WeirError(
        `weight '${name}' is [${tensor.shape.join(', ')}], but ${this.network} takes [${shape.join(', ')}] there`,
        'export the network that the weights are of',
      );
    }
    const [there] = torchNames(name);
    if (!this.used.has(there)) this.used.set(there, toTorch(tensor));
    return there;
  }
}

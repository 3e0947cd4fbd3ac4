import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import type { Input, NormalizedBy } from '../../flow/header.js';
import { checkOptions } from '../../flow/options.js';
import { noticeOnce } from '../../flow/terminal.js';
import { hashWeights } from '../../storage/digest.js';
import { tf } from '../../tensorflow/tf.js';
import { assumptions, checkArchitecture, fromMetadata, type NetworkMetadata } from '../metadata.js';
import type { Model, Padding, Weights } from '../model/model.js';
import { readWeights, type StoredTensor } from './safetensors.js';
import type { SavedTensors } from './saved-tensors.js';

/**
 * Names and layouts of PyTorch: those of torchvision's ResNets ('conv1.weight', 'layer1.0.bn1.running_mean',
 * 'layer2.0.downsample.0.weight', 'fc.weight'), and of other layers as they are called here ('hidden1.weight', 'projector1.bias').
 *
 * Kernels are OIHW there and HWIO here, matrices [out, in] there and [in, out] here.
 */
const parts: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  scale: 'weight',
  offset: 'bias',
  mean: 'running_mean',
  variance: 'running_var',
};

/** The names of a weight in PyTorch: of the readout all that are usual. The first one is written. */
export function torchNames(name: string): readonly [string, ...string[]] {
  const pieces = name.split('/');
  const part = parts[pieces.at(-1)!] ?? pieces.at(-1)!;
  if (pieces[0] === 'readout') return [`fc.${part}`, `linear.${part}`];
  const norm = pieces.includes('norm');
  if (pieces[0] === 'stem') return [`${norm ? 'bn' : 'conv'}1.${part}`];
  const block = name.match(/^stage(\d+)\/block(\d+)\/(?:conv(\d+)|shortcut)/);
  if (block === null) return [[...pieces.slice(0, -1), part].join('.')];
  const [, stage, number, conv] = block;
  const at = `layer${stage}.${Number(number) - 1}`;
  if (conv === undefined) return [`${at}.downsample.${norm ? 1 : 0}.${part}`];
  return [`${at}.${norm ? 'bn' : 'conv'}${conv}.${part}`];
}

/** A network's weights with PyTorch's names and layouts, in their order. */
export const inTorch = (weights: SavedTensors): Map<string, StoredTensor> =>
  new Map(weights.map((weight) => [torchNames(weight.name)[0], toTorch(weight)]));

/** A weight in the layout of PyTorch. */
export const toTorch = (tensor: StoredTensor): StoredTensor => permuted(tensor, orders[tensor.shape.length]?.[0]);

/** A weight of PyTorch in the layout of Weir. */
export const fromTorch = (tensor: StoredTensor): StoredTensor => permuted(tensor, orders[tensor.shape.length]?.[1]);

/** The permutations of axes by rank, to PyTorch's layout and from it. */
const orders: Readonly<Record<number, readonly [there: readonly number[], here: readonly number[]]>> = {
  2: [
    [1, 0],
    [1, 0],
  ],
  4: [
    [3, 2, 0, 1],
    [2, 3, 1, 0],
  ],
};

function permuted({ shape, values }: StoredTensor, order: readonly number[] | undefined): StoredTensor {
  if (order === undefined) return { shape, values };
  const steps = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const to = order.map((axis) => shape[axis]!);
  const out = new Float32Array(values.length);
  const coordinates = to.map(() => 0);
  for (let i = 0; i < out.length; i++) {
    let from = 0;
    for (let axis = 0; axis < coordinates.length; axis++) from += coordinates[axis]! * steps[order[axis]!]!;
    out[i] = values[from]!;
    for (let axis = coordinates.length - 1; axis >= 0 && ++coordinates[axis]! === to[axis]; axis--)
      coordinates[axis] = 0;
  }
  return { shape: to, values: out };
}

/** The content of a source of weights. */
export interface StoredWeights {
  /** By their names there. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The metadata of the network. */
  readonly metadata: NetworkMetadata;
  /** Notices for the user about reading it: a line each. */
  readonly notes?: readonly string[];
}

/** Where a network's first weights come from: a safetensors file, or a run. */
export interface WeightSource {
  /** Its name in messages. */
  readonly shown: string;
  /** Reads it; called once, when it is first needed. @throws {WeirError} where it cannot be read */
  read(): StoredWeights;
  /** The names that a weight of a model may have there, the usual one first. */
  namesOf(weight: string): readonly [string, ...string[]];
  /** A tensor of it in the layout of Weir: kernels HWIO, matrices [in, out]. */
  laidOut(tensor: StoredTensor): StoredTensor;
}

/** The weights of a safetensors file with PyTorch's names and layouts, see `torchNames`; `weir export` writes such files. */
export const fromFile = (file: string): WeightSource => ({
  shown: file,
  read: () => stored(file),
  namesOf: torchNames,
  laidOut: fromTorch,
});

/** The prefixes of DataParallel, torch.compile, Lightning and other wrappers, before every name. */
const wrappers = ['module.', '_orig_mod.', 'model.'];

function stored(file: string): StoredWeights {
  const { tensors, metadata, converted } = readWeights(file);
  const [prefix, bare] = unwrapped(tensors);
  const types = Object.entries(converted).map(([type, count]) => `${count} of ${tensors.size} tensors are ${type}`);
  return {
    tensors: bare,
    metadata: fromMetadata(file, metadata),
    notes: [
      ...(types.length > 0 ? [`${file}: ${types.join(', ')}; read as float32`] : []),
      ...(prefix !== '' ? [`${file}: every name begins with '${prefix}', which is left out`] : []),
    ],
  };
}

/** The tensors without a wrapper's prefix on all of their names. */
function unwrapped(
  tensors: ReadonlyMap<string, StoredTensor>,
): readonly [prefix: string, ReadonlyMap<string, StoredTensor>] {
  const names = [...tensors.keys()];
  let prefix = '';
  for (;;) {
    const more = wrappers.find(
      (wrapper) => names.length > 0 && names.every((name) => name.startsWith(prefix + wrapper)),
    );
    if (more === undefined) break;
    prefix += more;
  }
  return [prefix, new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor]))];
}

export interface StartingOptions {
  /** Layers that begin anew from the seed, such as ['readout'] for another set of classes: those of the source are ignored. */
  readonly fresh?: readonly string[];
  /**
   * Tensors that are left out, by their names there or the beginning of these, such as ['projector'] for the head of a
   * self-supervised network.
   */
  readonly drop?: readonly string[];
  /** The padding of a network whose file does not say it: 'zero' in torchvision. */
  readonly padding?: Padding;
}

/**
 * The model with the weights of a safetensors file or a run as its initial weights: the start of fine-tuning. The regularizer `l2-sp`
 * draws to them.
 *
 * Padding, activation, scale and shortcut, which no tensor shows, are compared with the model. A notice says where inputs were
 * normalized differently. Of a file without metadata a notice says what is assumed, and the padding must be given: here, or to
 * `resnet`. Where the readout is not fresh, its outputs keep their classes: labels are matched by name.
 *
 * @param from a safetensors file with the names and layouts of PyTorch, as `weir export` writes it; or `fromRun(folder)`
 * @throws {WeirError} when training begins: for a network that differs in one of these, for a weight that is missing or of another
 * shape, for a tensor that the model lacks and that is not dropped, for a fresh layer or a dropped tensor that does not exist
 * @example startingFrom(resnet({ depth: 18, classes: 10, inputSize: [32, 32] }), 'pretrained.safetensors', { fresh: ['readout'] })
 * @example startingFrom(resnet({ depth: 18, classes: 10, inputSize: [32, 32] }), fromRun('runs/barlow'), { fresh: ['readout'], drop: ['projector'] })
 */
export function startingFrom(model: Model, from: string | WeightSource, options: StartingOptions = {}): Model {
  const {
    fresh = [],
    drop = [],
    padding,
  } = checkOptions('startingFrom', options, { fresh: 'optional', drop: 'optional', padding: 'optional' });
  const source = typeof from === 'string' ? fromFile(from) : from;
  const { shown } = source;
  const isFresh = (name: string): boolean => fresh.some((layer) => name.startsWith(`${layer}/`));
  let stored: StoredWeights | undefined; // read once, when it is first needed
  const read = (): StoredWeights => {
    if (stored !== undefined) return stored;
    const found = source.read();
    const { metadata } = found;
    const architecture = { ...(padding && { padding }), ...metadata.architecture };
    checkArchitecture(shown, architecture, model);
    const assumed = assumptions(shown, { ...metadata, architecture }, model);
    for (const note of [...(found.notes ?? []), ...(assumed ? [assumed] : [])]) noticeOnce(note);
    stored = { ...found, tensors: withoutDropped(found.tensors) };
    return stored;
  };
  const start = (seed: number): Weights => {
    const { tensors } = read();
    const own = model.start(seed);
    try {
      checkFresh(own);
      return loaded(own, tensors);
    } catch (error) {
      tf.dispose([...own.values()]);
      throw error;
    }
  };

  const withoutDropped = (all: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> => {
    const odd = drop.find((start) => start === '' || ![...all.keys()].some((name) => name.startsWith(start)));
    if (odd !== undefined) {
      throw new WeirError(
        `${shown} has no tensor '${odd}' that could be dropped`,
        `it has ${[...all.keys()].join(', ')}`,
      );
    }
    return new Map([...all].filter(([name]) => !drop.some((start) => name.startsWith(start))));
  };

  const loaded = (own: Weights, stored: ReadonlyMap<string, StoredTensor>): Weights => {
    const used = new Set<string>();
    const found = [...own].map(([name, { shape }]) => {
      const names = source.namesOf(name);
      for (const each of names) used.add(each);
      if (isFresh(name)) return undefined;
      const there = names.find((each) => stored.has(each));
      if (there === undefined) throw lacks(names[0], name);
      const tensor = source.laidOut(stored.get(there)!);
      if (tensor.shape.join() !== shape.join()) throw another(there, tensor.shape, shape);
      return tensor;
    });
    const more = [...stored.keys()].find((name) => !used.has(name));
    if (more !== undefined) {
      throw new WeirError(
        `${shown} has a tensor '${more}' that ${model.name} has no place for`,
        `take the model that the weights are of, or leave it out: drop: ['${more.replace(/(?<=.)[./][^./]*$/, '')}']`,
      );
    }
    return new Map(
      [...own].map(([name, tensor], i) => {
        const from = found[i];
        if (from === undefined) return [name, tensor];
        tensor.dispose();
        return [name, tf.tensor(from.values, [...from.shape])];
      }),
    );
  };

  const checkFresh = (own: Weights): void => {
    const layers = new Set([...own.keys()].map((name) => name.slice(0, name.lastIndexOf('/'))));
    const odd = fresh.find((layer) => ![...own.keys()].some((name) => name.startsWith(`${layer}/`)));
    if (odd === undefined) return;
    throw new WeirError(
      `${model.name} has no layer '${odd}' that could begin anew`,
      `name some of ${[...layers].join(', ')}, or what they begin with`,
    );
  };
  const lacks = (there: string, name: string): WeirError =>
    new WeirError(
      `${shown} has no tensor '${there}'${drop.length > 0 ? ' that is not dropped' : ''}, which ${model.name} needs for '${name}'`,
      `take the model that the weights are of, or begin that layer anew: fresh: ['${name.split('/')[0]}']`,
    );
  const another = (there: string, got: readonly number[], wanted: readonly number[]): WeirError =>
    new WeirError(
      `tensor '${there}' of ${shown} is [${got.join(', ')}] in the order of Weir, but ${model.name} needs [${wanted.join(', ')}]`,
      'take the model that the weights are of, or begin that layer anew with fresh',
    );
  const input: Input = {
    name: shown,
    fingerprint: () => ({
      properties: {
        weights: hashWeights(Object.fromEntries([...read().tensors].map(([name, { values }]) => [name, values]))),
      },
    }),
  };
  return {
    ...model,
    inputs: [...(model.inputs ?? []), input],
    start,
    pretrainedClasses(now) {
      const { classes, normalization: then } = read().metadata;
      if (now !== undefined && then !== undefined && JSON.stringify(now) !== JSON.stringify(then)) {
        noticeOnce(`the network of ${shown} was trained on inputs normalized by ${by(then)}; here it is ${by(now)}`);
      }
      return isFresh(`${model.readout.name}/`) ? undefined : classes;
    },
  };
}

const by = ({ mean, std }: NormalizedBy): string => `mean ${mean.join(' ')}, std ${std.join(' ')}`;

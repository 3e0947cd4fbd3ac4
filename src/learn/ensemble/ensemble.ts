import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { mlp } from '../model/mlp.js';
import { type Model, type Weights, weight } from '../model/model.js';
import type { SpectralKind } from '../regularizer/spectral.js';
import type { Update } from '../update.js';

/** The offsets of a layer in a member's row, and of its v in a row of directions. */
export interface PlacedLayer {
  readonly name: string;
  readonly in: number;
  readonly out: number;
  /** [in, out], row-major. */
  readonly kernel: number;
  /** [out]. */
  readonly bias: number;
  readonly direction: number;
  /** s in h = gelu((h W + b) s): 1 for the first layer, 1/√in for the others, as `mlp` has it. */
  readonly scale: number;
}

/** A whole network in one row of numbers: layer by layer its kernel and its bias. */
export interface EnsembleLayout {
  /** Widths from the input to the classes. */
  readonly sizes: readonly number[];
  readonly layers: readonly PlacedLayer[];
  /** P, the length of a row. */
  readonly parameters: number;
  /** D, the length of a row of directions: the inputs of all layers. */
  readonly inputs: number;
}

/** The layout of a fully connected network. @throws {WeirError} for widths that make no network */
export function layoutOf(sizes: readonly number[]): EnsembleLayout {
  if (sizes.length < 3 || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new WeirError(
      `an ensemble of networks of sizes [${sizes.join(', ')}] was asked for`,
      'give the numbers of inputs, of units in at least one hidden layer, and of classes, such as [2, 8, 2]',
    );
  }
  let parameters = 0;
  let inputs = 0;
  const layers = sizes.slice(1).map((out, l): PlacedLayer => {
    const fanIn = sizes[l]!;
    const kernel = parameters;
    const bias = kernel + fanIn * out;
    const direction = inputs;
    parameters = bias + out;
    inputs += fanIn;
    const name = l === sizes.length - 2 ? 'readout' : `hidden${l + 1}`;
    return { name, in: fanIn, out, kernel, bias, direction, scale: l === 0 ? 1 : 1 / Math.sqrt(fanIn) };
  });
  return { sizes, layers, parameters, inputs };
}

/** One network of an ensemble. */
export interface EnsembleMember {
  /** The name of its records in the log. */
  readonly name: string;
  /** Of its initial weights. */
  readonly seed: number;
  readonly regularizer: SpectralKind;
}

/**
 * Networks of the same widths that are trained at once and independently: GELU, logits scaled, as `mlp` has them.
 *
 * Their weights are one tensor, 'members', of [E, P]: a network a row (`layout`). A sample holds every member's own point, so
 * data are [n, E, inputs].
 */
export interface Ensemble {
  readonly name: string;
  readonly members: readonly EnsembleMember[];
  readonly layout: EnsembleLayout;
  /** One member as a model, for measuring stages; its weights are from `alone`. */
  readonly model: Model;
  /** Initial weights: each member's are those of `model.start(seed)`. */
  start(): Weights;
  /** Every member's row, read from the device: [E, P]. */
  rows(weights: Weights): Float32Array;
  /** The weights of one member under the names that `model` has; the tensors belong to the caller. */
  alone(weights: Weights, member: number): Weights;
}

/** The name of the one tensor that holds the weights of all members, and of that of their velocities. */
export const membersKey = 'members';

/**
 * An ensemble of fully connected networks.
 *
 * @param sizes widths from the input to the classes
 * @example ensemble([2, 8, 2], [{ name: 'none-s0', seed: 0, regularizer: 'none' }, { name: 'none-s1', seed: 1, regularizer: 'none' }])
 */
export function ensemble(sizes: readonly number[], members: readonly EnsembleMember[]): Ensemble {
  const layout = layoutOf(sizes);
  for (const member of members)
    checkOptions<EnsembleMember & { readonly branch?: unknown }>('a member of ensemble', member, {
      name: 'required',
      seed: 'required',
      regularizer: 'required',
      branch: 'optional',
    });
  const odd = members.find(({ name }, i) => members.findIndex((other) => other.name === name) !== i);
  if (members.length === 0 || odd !== undefined) {
    throw new WeirError(
      odd === undefined ? 'an ensemble without members was asked for' : `an ensemble has two members '${odd.name}'`,
      'give it at least one network, each with a name of its own',
    );
  }
  const { parameters, layers } = layout;
  const model = mlp(sizes);
  const parts = layers.flatMap((layer) => [
    { name: `${layer.name}/kernel`, from: layer.kernel, shape: [layer.in, layer.out] },
    { name: `${layer.name}/bias`, from: layer.bias, shape: [layer.out] },
  ]);
  const rows = (weights: Weights): Float32Array => weight(weights, membersKey).dataSync<'float32'>();

  return {
    name: `${members.length} × ${model.name}`,
    members,
    layout,
    model,
    rows,

    start() {
      const all = new Float32Array(members.length * parameters);
      members.forEach(({ seed }, m) => {
        const one = model.start(seed);
        for (const { name, from } of parts) all.set(weight(one, name).dataSync<'float32'>(), m * parameters + from);
        tf.dispose([...one.values()]);
      });
      return new Map([[membersKey, tf.tensor2d(all, [members.length, parameters])]]);
    },

    alone(weights, member) {
      const row = rows(weights).slice(member * parameters, (member + 1) * parameters);
      return new Map(
        parts.map(({ name, from, shape }) => [name, tf.tensor(row.slice(from, from + sizeOf(shape)), shape)]),
      );
    },
  };
}

/** The output of an ensemble's training step after an update: numbers are means over the members. */
export interface EnsembleUpdate extends Update {
  /** The same numbers of one member. */
  of(member: number): Pick<Update, 'loss' | 'epochLoss' | 'epochAccuracy'>;
}

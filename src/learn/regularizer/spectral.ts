import type { Data } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkChoice, checkCounts, checkOptions, type OptionKeys } from '../../flow/options.js';
import { pack, unpack } from '../../storage/codec.js';
import { processGroup } from '../../tensorflow/collectives/process-group.js';
import type { ConvolutionGrid } from '../../tensorflow/ops/spectral.js';
import type { Gradients, Layer, Model, Weights } from '../model/model.js';
import { gramPower, gramSteps } from '../spectral/gram.js';
import { frequencyPower } from '../spectral/krylov.js';
import {
  densePower,
  directionKinds,
  imagePower,
  type LayerPower,
  type PowerOptions,
  type Singular,
  type Spectrum,
} from '../spectral/power.js';
import { type Regularizer, type RegularizerInput, since } from './regularizer.js';

/**
 * The power iteration for a layer's kind.
 *
 * @param index of the layer among those that are regularized
 * @throws {WeirError} for a size that the stride does not divide, where the search goes by frequencies
 */
function layerPower(layer: Layer, model: Model, index: number, options: PowerOptions): LayerPower {
  if (layer.kind === 'dense') {
    return options.directions === 'gram' ? gramPower(layer, undefined, options) : densePower(layer, index, options);
  }
  const grid = gridOf(layer.name, layer.inputSize, layer.stride, model, options.imageSize);
  const { directions, formulation } = options;
  const gram = directions === 'gram';
  if (formulation === 'image' && !gram && directions !== 'exact') return imagePower(layer, grid, index, options);
  if (gram && layer.padding === 'zero') return gramPower(layer, grid, options); // on a larger image, which the stride divides
  if (grid.height % grid.stride !== 0 || grid.width % grid.stride !== 0) {
    throw new WeirError(
      `layer '${layer.name}' has stride ${grid.stride} on ${grid.height} × ${grid.width}: it has no frequencies where the stride does not divide the size`,
      gram
        ? "give an imageSize that the strides divide, or directions: 'power' with formulation: 'image'"
        : "give an imageSize that the strides divide, or formulation: 'image'",
    );
  }
  return gram ? gramPower(layer, grid, options) : frequencyPower(layer, grid, index, options);
}

/** The input size of a layer if the model's images had `imageSize`: each halving rounds up. */
function gridOf(
  name: string,
  [height, width]: readonly [number, number],
  stride: number,
  model: Model,
  imageSize: PowerOptions['imageSize'],
): ConvolutionGrid {
  if (imageSize === undefined) return { height, width, stride };
  const [rows, columns] = imageSize;
  if (!(Number.isInteger(rows) && rows > 0 && Number.isInteger(columns) && columns > 0)) {
    throw new WeirError(
      `a spectral regularizer was given imageSize [${imageSize.join(', ')}] for layer '${name}'`,
      'give whole numbers of pixels, [height, width], such as [32, 32]',
    );
  }
  const [whole, across] = model.inputShape as [number, number];
  return { height: Math.ceil((height * rows) / whole), width: Math.ceil((width * columns) / across), stride };
}

/**
 * The spectrum of all layers. Each layer is searched by one rank, in turn, and the results are gathered: the same on all ranks.
 */
function spectrumOf(powers: readonly LayerPower[], find: (power: LayerPower) => Singular): Spectrum {
  const { rank, ranks: count, gather } = processGroup();
  const own = powers.filter((_, i) => i % count === rank);
  const found = Object.fromEntries(own.map((power): [string, Singular] => [power.layer.name, find(power)]));
  if (count === 1) return found;
  const all: Spectrum = Object.assign({}, ...gather(pack(found as unknown as Data)).map((bytes) => unpack(bytes)));
  return Object.fromEntries(powers.map(({ layer }) => [layer.name, all[layer.name]!]));
}

/**
 * Which layers are regularized: those of the feature map (equation 5), all (equation 6), only the readout (what the authors' code
 * does under the name of ll-spectral on networks with one hidden layer), or none.
 */
export const spectralKinds = ['none', 'rep-spectral', 'll-spectral', 'readout-spectral'] as const;

export type SpectralKind = (typeof spectralKinds)[number];

/** Those and the kinds whose directions are refreshed by ticks as theirs are. */
export type TickedKind = SpectralKind | 'unit-spectral';

export interface SpectralOptions extends Partial<PowerOptions> {
  /** γ. */
  readonly gamma: number;
  /** The regularizer acts after this many epochs (burn-in): at every update of epoch `from.epoch` + 1 and later. */
  readonly from?: { readonly epoch: number };
}

export const spectralKeys: OptionKeys<SpectralOptions> = {
  gamma: 'required',
  from: 'optional',
  iterations: 'optional',
  seed: 'optional',
  directions: 'optional',
  formulation: 'optional',
  imageSize: 'optional',
  foldNormalization: 'optional',
};

/**
 * A regularizer γ/2 · Σ σ²(W_l) over some layers, its directions refreshed by ticks. σ of a convolution is that of the circular one at
 * the size of its input, without the batch normalization behind it (as in the authors' code) unless `foldNormalization` is on; where
 * a model pads with zeros it is an estimate. With `directions: 'gram'` it is an upper bound of σ instead, of zero padding too.
 *
 * `newest` is the one edge of the graph that leads back: `spectralTick` hands each spectrum to the regularizer, and the training
 * step reads it at the next update. Everything else here is a function of its arguments.
 */
export interface SpectralRegularizer extends Regularizer {
  readonly kind: TickedKind;
  readonly gamma: number;
  readonly from: { readonly epoch: number };
  readonly layers: readonly Layer[];
  /** The first spectrum: for dense layers at most 2 · (input dimension) iterations, until v moves less than 1e-6. */
  begin(weights: Weights): Spectrum;
  /** The next one: `iterations` steps from the directions of `spectrum` on the weights as they are now, or exact directions. */
  iterate(spectrum: Spectrum, weights: Weights): Spectrum;
  /** γ/2 · Σ ‖K_l v_l‖², K_l the linear map of a layer (Wᵀ of a dense one), on the weights as they are now, with the newest directions. */
  value(input: Pick<RegularizerInput, 'weights'>): number;
  /**
   * Adds ∂/∂W_l of γ/2 · ‖K_l v_l‖² (for a dense layer γσ v uᵀ; section 3.2), the newest v_l held constant and W_l as it is now.
   * Disposes of the gradients it replaces.
   *
   * @throws {WeirError} when no tick refreshes the directions
   */
  addGradients(input: Pick<RegularizerInput, 'weights'>, gradients: Gradients): void;
  /** The spectrum of the newest tick. */
  newest: Spectrum | undefined;
  /** Whether a tick refreshes the directions. */
  ticked: boolean;
}

/**
 * Builds the regularizer of that kind for a model.
 *
 * @throws {WeirError} for an unknown kind, a γ that is not a finite number of at least 0, and a size that a stride does not divide
 * (`formulation: 'image'` takes any)
 * @example spectralRegularizer('rep-spectral', model, { gamma: 1e-3, from: { epoch: 160 } })
 */
export function spectralRegularizer(kind: SpectralKind, model: Model, options: SpectralOptions): SpectralRegularizer {
  return ofKind(kind, model, checkOptions('spectralRegularizer', options, spectralKeys));
}

function ofKind(kind: SpectralKind, model: Model, options: SpectralOptions): SpectralRegularizer {
  if (!Object.hasOwn(layersOf, kind)) {
    throw new WeirError(`there is no regularizer '${kind}'`, `name one of ${spectralKinds.join(', ')}`);
  }
  return spectral(kind, model, layersOf[kind](model), options);
}

/** A term of one layer as a function of s = σ², γ included. */
export interface SpectralTerm {
  value(square: number): number;
  /** 2 · d value/ds, by which the gradient of s/2 is multiplied; `square` reads s from the device. */
  strength(square: () => number): number;
}

/** γ/2 · σ² (equations 5 and 6). */
const half = (gamma: number): SpectralTerm => ({ value: (square) => (gamma / 2) * square, strength: () => gamma });

/** A spectral regularizer over some layers, by one term for each. */
export function spectral(
  kind: TickedKind,
  model: Model,
  layers: readonly Layer[],
  {
    gamma,
    from = { epoch: 0 },
    seed = 0,
    directions = 'krylov',
    iterations = directions === 'gram' ? gramSteps : 1,
    formulation = 'frequency',
    foldNormalization = false,
    imageSize,
  }: SpectralOptions,
  term: SpectralTerm = half(gamma),
): SpectralRegularizer {
  const active = since(kind, { gamma, from });
  const where = `regularizer '${kind}'`;
  checkCounts(where, { iterations });
  checkChoice(where, 'directions', directions, directionKinds);
  checkChoice(where, 'formulation', formulation, ['frequency', 'image']);
  checkChoice(where, 'foldNormalization', foldNormalization, [true, false]);
  const options: PowerOptions = {
    iterations,
    seed,
    directions,
    formulation,
    foldNormalization,
    ...(imageSize && { imageSize }),
  };
  const powers = layers.map((layer, i) => layerPower(layer, model, i, options));

  return {
    kind,
    gamma,
    from,
    layers,
    newest: undefined,
    ticked: false,
    save() {
      return (this.newest ?? null) as Data;
    },
    load(data) {
      this.newest = (data as Spectrum | null) ?? undefined;
    },
    active: (epoch) => layers.length > 0 && active(epoch),
    begin: (weights) => spectrumOf(powers, (power) => power.begin(weights)),
    iterate: (spectrum, weights) => spectrumOf(powers, (power) => power.iterate(weights, spectrum[power.layer.name]!)),
    value({ weights }) {
      const spectrum = this.newest ?? this.begin(weights);
      const squares = powers.map((power) => power.square(weights, spectrum[power.layer.name]!));
      return squares.reduce((sum, square) => sum + term.value(square), 0);
    },
    addGradients({ weights }, gradients) {
      if (!this.ticked) throw unticked(kind);
      // where the burn-in ended between two ticks, the directions begin here
      this.newest ??= this.begin(weights);
      for (const power of powers) {
        const singular = this.newest[power.layer.name]!;
        const strength = term.strength(() => power.square(weights, singular));
        power.addGradients(weights, singular, strength, gradients);
      }
    },
  };
}

/** Builders by kind, for the registry. */
export const spectralBuilders = Object.fromEntries(
  spectralKinds.map((kind) => [kind, (model: Model, options: SpectralOptions) => ofKind(kind, model, options)]),
) as Record<SpectralKind, (model: Model, options: SpectralOptions) => SpectralRegularizer>;

/** Whether it is a regularizer whose directions a `spectralTick` refreshes. */
export const isSpectral = (one: Regularizer): one is SpectralRegularizer =>
  Object.hasOwn(layersOf, one.kind) || one.kind === ('unit-spectral' satisfies TickedKind);

const layersOf: Readonly<Record<SpectralKind, (model: Model) => readonly Layer[]>> = {
  none: () => [],
  'rep-spectral': ({ featureLayers }) => featureLayers,
  'll-spectral': ({ featureLayers, readout }) => [...featureLayers, readout],
  'readout-spectral': ({ readout }) => [readout],
};

const unticked = (kind: string): WeirError =>
  new WeirError(
    `regularizer '${kind}' is on, but no spectral tick refreshes its directions`,
    'wire one: updates$.pipe(every({ updates: 1 }), spectralTick(regularizer)), and return its stream',
  );

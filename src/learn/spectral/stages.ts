import type { Data, Positioned } from '../../flow/data.js';
import { checkChoice, checkCounts, checkOptions } from '../../flow/options.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import { key, quantities, record, z } from '../../storage/record.js';
import type { tf } from '../../tensorflow/tf.js';
import { type Layer, type Model, type Weights, weight } from '../model/model.js';
import type { Regularizer } from '../regularizer/regularizer.js';
import { isSpectral } from '../regularizer/spectral.js';
import type { Update } from '../update.js';
import { type ExactSigma, exactDense, exactSigma } from './exact.js';
import { gramSigma, gramSteps } from './gram.js';
import type { Spectrum } from './power.js';

/** The spectral norm of every layer after an update. */
export interface LayerNorms extends Positioned {
  readonly number: number;
  readonly epoch: number;
  /** σ by name of the layer, the readout included. */
  readonly sigma: Readonly<Record<string, number>>;
  /** How far above σ the true value may lie: see `exactSigma`, and `gramSigma` for its rounding. */
  readonly bounds: Readonly<Record<string, number>>;
  /** Names of the convolutions that the model pads with zeros: for them the exact σ, that of the circular one, is an estimate. */
  readonly estimates?: readonly string[];
}

/** What is logged of the spectral norms. */
export const layerNormsRecord = record({
  name: 'layer norms',
  role: 'spectrum',
  fields: {
    sigma: quantities({ label: 'σ', scale: 'log', better: 'lower', headline: true }),
    bounds: z.record(z.string(), z.number()).optional(),
    estimates: z.array(z.string()).optional(),
  },
});

export interface LayerNormsOptions {
  /** Exact, or an upper bound by Gram iteration, which is one for zero padding too. */
  readonly estimator?: 'exact' | 'gram';
  /** Steps of Gram iteration, 6 by default; each halves the distance of the bound. */
  readonly iterations?: number;
}

/** By name of a convolution the frequency where the next search starts. */
export type LayerFrequencies = { readonly [layer: string]: Float32Array };

/**
 * σ of every layer at each update it is given, exact within a bound: for curves and reports. The regularizer has its own, by ticks.
 *
 * Power iteration is not exact enough for that: where σ₁ and σ₂ are close it moves little, and a small step looks like convergence.
 *
 * State: the frequency at which σ of each convolution was found. Bound: one update. Order: that of the updates. Failure: a kernel
 * that is not finite, by the name of its layer.
 *
 * @example updates$.pipe(every({ epochs: 1 }), layerNorms(model))
 */
export function layerNorms(
  model: Model,
  options: LayerNormsOptions = {},
): StageOperator<Update, LayerNorms, LayerFrequencies> {
  const where = 'layerNorms';
  const { estimator = 'exact', iterations = gramSteps } = checkOptions(where, options, {
    estimator: 'optional',
    iterations: 'optional',
  });
  checkChoice(where, 'estimator', estimator, ['exact', 'gram']);
  checkCounts(where, { iterations });
  const gram = estimator === 'gram';
  const layers = [...model.featureLayers, model.readout];
  const sigmaOf = (layer: Layer, weights: Weights, from: number | undefined): ExactSigma =>
    gram ? gramSigma(layer, weights, iterations) : exact(layer, weights, from);
  const estimates = gram
    ? []
    : layers.flatMap((layer) => (layer.kind === 'conv' && layer.padding === 'zero' ? [layer.name] : []));
  return stage<Update, LayerNorms, LayerFrequencies>({
    name: 'layer norms',
    record: layerNormsRecord,
    claims: 'weights',
    start: () => ({}),
    next(from, { position, number, epoch, weights }) {
      const found = layers.map((layer) => ({ layer, ...sigmaOf(layer, weights, from[layer.name]?.[0]) }));
      const byName = (of: (one: ExactSigma) => number): Record<string, number> =>
        Object.fromEntries(found.map((one) => [one.layer.name, of(one)]));
      const frequencies = found.flatMap(({ layer, wave }) =>
        layer.kind === 'conv' ? [[layer.name, Float32Array.of(wave?.frequency ?? 0)] as const] : [],
      );
      return [
        Object.fromEntries(frequencies),
        {
          position,
          number,
          epoch,
          sigma: byName(({ sigma }) => sigma),
          bounds: byName(({ bound }) => bound),
          ...(estimates.length > 0 && { estimates }),
        },
      ];
    },
  });
}

function exact(layer: Layer, weights: Weights, from = 0): ExactSigma {
  if (layer.kind !== 'conv') return exactDense(weight<tf.Tensor2D>(weights, layer.kernel), { layer: layer.name });
  const [height, width] = layer.inputSize;
  const grid = { height, width, stride: layer.stride };
  return exactSigma(weight<tf.Tensor4D>(weights, layer.kernel), grid, { from, layer: layer.name });
}

/** An update with σ and the singular vectors of each layer, as its tick found them. */
export type TickedUpdate = Update & { readonly spectrum: Spectrum };

/** The record of a tick: the update that it worked on, and σ of each regularized layer where it is reported by member. */
export const tickRecord = record({
  name: 'spectral tick',
  role: 'spectrum',
  fields: {
    updatesInEpoch: key(z.int()).optional(),
    sigma: quantities({ label: 'σ', scale: 'log', better: 'lower' }).optional(),
  },
});

/**
 * Refreshes the directions of a spectral regularizer on the weights of each update it is given: one power iteration a layer
 * (paper, appendix C, N = 1), or the search that `directions` names.
 *
 *   updates                  0--1--2--3--|
 *   every 2, spectralTick    A-----B-----|    A, B: successive estimates
 *
 * It emits nothing before the last epoch of the burn-in, where its first tick finds the directions from a random start. With any
 * other regularizer it never emits, and is a stage of the graph all the same: so networks of any regularizer are one graph, and
 * can branch from one snapshot.
 *
 * State: the `Spectrum` (σ, u, v per layer). The regularizer reads the newest one at the next update: the one edge back.
 * Bound: one update. Order: that of the updates. Failure: a kernel that is not finite, by the name of its layer.
 *
 * @example updates$.pipe(every({ updates: 1 }), spectralTick(regularizer))
 */
export function spectralTick(regularizer: Regularizer): StageOperator<Update, TickedUpdate, Spectrum | null> {
  const name = 'spectral tick';
  if (!isSpectral(regularizer)) {
    return stage<Update, TickedUpdate, Spectrum | null>({
      name,
      record: tickRecord,
      start: () => null,
      next: () => [null],
      save: () => null,
      load: () => null,
    });
  }
  regularizer.ticked = true;
  const hand = (spectrum: Spectrum | null): Spectrum | null => {
    regularizer.newest = spectrum ?? undefined;
    return spectrum;
  };
  return stage({
    name,
    record: tickRecord,
    claims: 'weights',
    start: () => hand(null),
    next(_, update) {
      if (!regularizer.active(update.epoch + 1)) return [null]; // before the last epoch of the burn-in
      const before = regularizer.newest; // from the training step, where the burn-in ended between two ticks
      const spectrum =
        before === undefined ? regularizer.begin(update.weights) : regularizer.iterate(before, update.weights);
      return [hand(spectrum), { ...update, spectrum }];
    },
    save: (spectrum) => (spectrum ?? regularizer.newest ?? null) as Data,
    load: (data) => hand(data as Spectrum | null),
  });
}

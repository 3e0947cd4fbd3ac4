import type { Data } from '../../core/data.js';
import { WeirError } from '../../core/errors.js';
import { addOuter } from '../device/native/fused.js';
import { tf } from '../device/tf.js';
import { type Gradients, type Layer, type Model, type Weights, weight } from '../model/model.js';
import type { Look, Regulariser } from '../regulariser/regulariser.js';
import { firstDirection, powerIterate } from './dense.js';
import type { Singular, Spectrum } from './spectrum.js';

/**
 * Which layers are penalised: those of the feature map (equation 5), all (equation 6), only the readout (what the authors' code
 * does under the name of ll-spectral on networks with one hidden layer), or none.
 */
export const penaltyKinds = ['none', 'rep-spectral', 'll-spectral', 'readout-spectral'] as const;

export type PenaltyKind = (typeof penaltyKinds)[number];

export interface PenaltyOptions {
  /** γ. */
  readonly gamma: number;
  /** The penalty acts after this many epochs (burn-in): at every update of epoch `from.epoch` + 1 and later. */
  readonly from?: { readonly epoch: number };
  /** Power iterations a tick. */
  readonly iterations?: number;
  /** Of the first directions. */
  readonly seed?: number;
}

/**
 * A penalty γ/2 · Σ σ²(W_l) over some layers, its directions refreshed by ticks.
 *
 * `newest` is the one edge of the graph that leads back: `spectralTick` hands each spectrum to the penalty, and the training
 * step reads it at the next update. Everything else here is a function of its arguments.
 */
export interface SpectralPenalty extends Regulariser {
  readonly kind: PenaltyKind;
  readonly gamma: number;
  readonly from: { readonly epoch: number };
  readonly layers: readonly Layer[];
  /** The first spectrum: at most 2 · (input dimension) iterations, until v moves less than 1e-6. */
  begin(weights: Weights): Spectrum;
  /** The next one: `iterations` steps from the directions of `spectrum` on the weights as they are now. */
  iterate(spectrum: Spectrum, weights: Weights): Spectrum;
  /** γ/2 · Σ ‖W_lᵀ v_l‖² on the weights as they are now, with the newest directions. */
  value(look: Pick<Look, 'weights'>): number;
  /**
   * Adds ∂/∂W_l = γ · v_l (W_lᵀ v_l)ᵀ (= γσ v uᵀ; section 3.2, in the layout [in, out]), the newest v_l held constant and W_l as
   * it is now. Takes the gradients it replaces.
   *
   * @throws {WeirError} when no tick refreshes the directions
   */
  addGradients(look: Pick<Look, 'weights'>, gradients: Gradients): void;
  /** What the newest tick found. */
  newest: Spectrum | undefined;
  /** Is there a tick that hands over spectra? */
  ticked: boolean;
}

/** Builds the penalty of that kind for a model. @example spectralPenalty('rep-spectral', model, { gamma: 1e-3, from: { epoch: 160 } }) */
export function spectralPenalty(
  kind: PenaltyKind,
  model: Model,
  { gamma, from = { epoch: 0 }, iterations = 1, seed = 0 }: PenaltyOptions,
): SpectralPenalty {
  const layers = penalised(kind, model);
  if (!(gamma >= 0 && Number.isFinite(gamma))) {
    throw new WeirError(`penalty '${kind}' was given gamma = ${gamma}`, 'give a finite number of at least 0');
  }
  const perLayer = (weights: Weights, work: (kernel: tf.Tensor2D, name: string, index: number) => Singular): Spectrum =>
    Object.fromEntries(
      layers.map(({ name, kernel }, i) => [name, work(weight<tf.Tensor2D>(weights, kernel), name, i)]),
    );

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
    active: (epoch) => layers.length > 0 && gamma > 0 && epoch > from.epoch,
    begin: (weights) =>
      perLayer(weights, (kernel, _, i) => {
        const inputs = kernel.shape[0];
        return powerIterate(kernel, firstDirection(seed, i, inputs), { steps: 2 * inputs, direction: 1e-6 });
      }),
    iterate: (spectrum, weights) =>
      perLayer(weights, (kernel, name) => powerIterate(kernel, spectrum[name]!.v, { steps: iterations })),
    value({ weights }) {
      const spectrum = this.newest ?? this.begin(weights);
      const squares = layers.map(({ name, kernel }) =>
        tf.tidy(() => tf.sum(tf.square(image(weight(weights, kernel), spectrum[name]!))).dataSync()[0]!),
      );
      return (gamma / 2) * squares.reduce((sum, square) => sum + square, 0);
    },
    addGradients({ weights }, gradients) {
      if (!this.ticked) throw unticked(kind);
      // where the burn-in ended between two ticks, the directions begin here
      this.newest ??= this.begin(weights);
      const spectrum = this.newest;
      for (const { name, kernel } of layers) {
        const w = weight<tf.Tensor2D>(weights, kernel);
        const singular = spectrum[name]!;
        const old = gradients.get(kernel) as tf.Tensor2D;
        gradients.set(
          kernel,
          tf.tidy(() => addOuter(old, tf.tensor1d(singular.v), tf.mul(image(w, singular), gamma))),
        );
        old.dispose();
      }
    },
  };
}

const unticked = (kind: string): WeirError =>
  new WeirError(
    `penalty '${kind}' is on, but no spectral tick refreshes its directions`,
    'wire one: updates$.pipe(every({ updates: 1 }), spectralTick(penalty)), and return its stream',
  );

/** (Wᵀv)ᵀ = vᵀW, of shape [1, out]. */
const image = (kernel: tf.Tensor2D, { v }: Singular): tf.Tensor2D => tf.matMul(tf.tensor2d(v, [1, v.length]), kernel);

function penalised(kind: PenaltyKind, model: Model): readonly Layer[] {
  switch (kind) {
    case 'none':
      return [];
    case 'rep-spectral':
      return model.featureLayers;
    case 'll-spectral':
      return [...model.featureLayers, model.readout];
    case 'readout-spectral':
      return [model.readout];
    default:
      throw new WeirError(`there is no penalty '${kind}'`, `name one of ${penaltyKinds.join(', ')}`);
  }
}

import type { Data } from '../../flow/core-data.js';
import { WeirError } from '../../flow/errors.js';
import type { SpectralKind } from '../regularizer/penalty.js';
import { firstDirection } from '../spectral/dense.js';
import type { Ensemble } from './ensemble-ensemble.js';
import type { PlacedLayer } from './layout.js';
import { iterateLayer } from './power.js';

export interface EnsembleRegularizerOptions {
  /** γ of every member that is penalized. */
  readonly gamma: number;
  /** The penalties act after this many epochs (burn-in). */
  readonly from?: { readonly epoch: number };
  /** Power iterations a tick. */
  readonly iterations?: number;
}

/** What power iteration has come to, of every member; plain data. */
export interface Directions {
  /** σ by member and layer, [E, L]; 0 where the layer is not penalized. */
  readonly sigma: Float32Array;
  /** v by member, layer after layer, [E, D]. */
  readonly v: Float32Array;
}

/**
 * A penalty γ/2 · Σ σ²(W_l) for each member over the layers that its regularizer names; directions are refreshed by ticks.
 *
 * As with `spectralPenalty`, `newest` is the one edge of the graph that leads back.
 */
export interface EnsembleRegularizer {
  /** γ by member and layer, [E, L]. */
  readonly gammas: Float32Array;
  active(epoch: number): boolean;
  penalizes(member: number, layer: number): boolean;
  /** From random directions, keyed by the member's seed: at most 2 · inputs iterations, until v moves less than 1e-6. */
  begin(rows: Float32Array): Directions;
  /** The next ones, from `directions` on the rows as they are now. */
  iterate(directions: Directions, rows: Float32Array): Directions;
  newest: Directions | undefined;
  ticked: boolean;
  save(): Data;
  load(data: Data): void;
}

/** The penalties of an ensemble's members. @example ensemblePenalty(networks, { gamma: 1e-4, from: { epoch: 10_500 } }) */
export function ensembleRegularizer(
  { members, layout }: Ensemble,
  { gamma, from = { epoch: 0 }, iterations = 1 }: EnsembleRegularizerOptions,
): EnsembleRegularizer {
  if (!(gamma >= 0 && Number.isFinite(gamma))) {
    throw new WeirError(`the penalty of an ensemble was given gamma = ${gamma}`, 'give a finite number of at least 0');
  }
  const { layers, inputs, parameters } = layout;
  const gammas = Float32Array.from(
    members.flatMap(({ regularizer }) => layers.map((layer) => (penalized(regularizer, layer) ? gamma : 0))),
  );
  const penalizes = (member: number, layer: number): boolean => gammas[member * layers.length + layer]! > 0;

  const each = (v: Float32Array, work: (m: number, l: number, v: Float32Array) => number): Directions => {
    const sigma = new Float32Array(gammas.length);
    members.forEach((_, m) => {
      layers.forEach((layer, l) => {
        if (!penalizes(m, l)) return;
        const from = m * inputs + layer.direction;
        sigma[m * layers.length + l] = work(m, l, v.subarray(from, from + layer.in));
      });
    });
    return { sigma, v };
  };

  return {
    gammas,
    penalizes,
    active: (epoch) => epoch > from.epoch && gammas.some((strength) => strength > 0),
    begin: (rows) =>
      each(new Float32Array(members.length * inputs), (m, l, v) => {
        v.set(firstDirection(members[m]!.seed, l, v.length));
        return iterateLayer(rows, m * parameters, layers[l]!, v, 2 * v.length, 1e-6);
      }),
    iterate: (directions, rows) =>
      each(directions.v.slice(), (m, l, v) => iterateLayer(rows, m * parameters, layers[l]!, v, iterations)),
    newest: undefined,
    ticked: false,
    save() {
      return (this.newest ?? null) as Data;
    },
    load(data) {
      this.newest = (data as Directions | null) ?? undefined;
    },
  };
}

/** Does the regularizer name this layer? See `penaltyKinds`. */
function penalized(kind: SpectralKind, { name }: PlacedLayer): boolean {
  if (kind === 'none') return false;
  return kind === 'll-spectral' || (kind === 'readout-spectral') === (name === 'readout');
}

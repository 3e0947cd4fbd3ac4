import type { Data } from '../../flow/data.js';
import { checkCounts, checkOptions } from '../../flow/options.js';
import { type StageOperator, stage } from '../../flow/stage.js';
import { since } from '../regularizer/regularizer.js';
import type { SpectralKind } from '../regularizer/spectral.js';
import { firstDirection } from '../spectral/power.js';
import type { Ensemble, EnsembleUpdate, PlacedLayer } from './ensemble.js';

/**
 * Power iteration for σ of one layer y = xW of one member, on the main thread in float64 (paper, appendix C, algorithm 1):
 * u ← Wᵀv/‖·‖, v ← Wu/‖·‖, and at the end σ = ‖Wᵀv‖.
 *
 * @param rows networks one after the other, of which one begins at `row`
 * @param v the first direction, of length in, of any norm; overwritten by the last
 * @param steps at most so many
 * @param tolerance stop when v moved less than this, ‖Δv‖₂
 * @returns σ
 */
export function iterateLayer(
  rows: Float32Array,
  row: number,
  layer: PlacedLayer,
  v: Float32Array,
  steps: number,
  tolerance = 0,
): number {
  const from = row + layer.kernel;
  const u = new Float64Array(layer.out);
  const next = new Float64Array(layer.in);
  const at = Float64Array.from(v);
  if (!normalize(at)) return 0;
  for (let step = 0; ; step++) {
    u.fill(0);
    for (let i = 0; i < layer.in; i++) {
      for (let o = 0; o < layer.out; o++) u[o]! += rows[from + i * layer.out + o]! * at[i]!;
    }
    const sigma = normalize(u);
    if (step === steps || sigma === 0) {
      if (sigma > 0) v.set(at); // an all-zero kernel has no direction: v stays unchanged
      return sigma;
    }
    for (let i = 0; i < layer.in; i++) {
      let sum = 0;
      for (let o = 0; o < layer.out; o++) sum += rows[from + i * layer.out + o]! * u[o]!;
      next[i] = sum;
    }
    normalize(next);
    let moved = 0;
    for (let i = 0; i < layer.in; i++) moved += (next[i]! - at[i]!) ** 2;
    at.set(next);
    if (Math.sqrt(moved) < tolerance) steps = step + 1;
  }
}

/** Divides x by its length, unless that is 0. @returns the length */
function normalize(x: Float64Array): number {
  let square = 0;
  for (const value of x) square += value * value;
  const length = Math.sqrt(square);
  if (length > 0) for (let i = 0; i < x.length; i++) x[i]! /= length;
  return length;
}

export interface EnsembleRegularizerOptions {
  /** γ of every member that is regularized. */
  readonly gamma: number;
  /** The regularizers act after this many epochs (burn-in). */
  readonly from?: { readonly epoch: number };
  /** Power iterations a tick. */
  readonly iterations?: number;
}

/** The result of power iteration for every member; plain data. */
export interface EnsembleDirections {
  /** σ by member and layer, [E, L]; 0 where the layer is not regularized. */
  readonly sigma: Float32Array;
  /** v by member, layer after layer, [E, D]. */
  readonly v: Float32Array;
}

/**
 * A regularizer γ/2 · Σ σ²(W_l) for each member over the layers that its regularizer names; directions are refreshed by ticks.
 *
 * As with `spectralRegularizer`, `newest` is the one edge of the graph that leads back.
 */
export interface EnsembleRegularizer {
  /** γ by member and layer, [E, L]. */
  readonly gammas: Float32Array;
  active(epoch: number): boolean;
  regularizes(member: number, layer: number): boolean;
  /** From random directions, keyed by the member's seed: at most 2 · inputs iterations, until v moves less than 1e-6. */
  begin(rows: Float32Array): EnsembleDirections;
  /** The next ones, from `directions` on the rows as they are now. */
  iterate(directions: EnsembleDirections, rows: Float32Array): EnsembleDirections;
  newest: EnsembleDirections | undefined;
  ticked: boolean;
  save(): Data;
  load(data: Data): void;
}

/** An update with the directions that its tick found. */
export type TickedEnsemble = EnsembleUpdate & { readonly directions: EnsembleDirections };

/** The regularizers of an ensemble's members. @example ensembleRegularizer(networks, { gamma: 1e-4, from: { epoch: 10_500 } }) */
export function ensembleRegularizer(
  { members, layout }: Ensemble,
  options: EnsembleRegularizerOptions,
): EnsembleRegularizer {
  const {
    gamma,
    from = { epoch: 0 },
    iterations = 1,
  } = checkOptions('ensembleRegularizer', options, { gamma: 'required', from: 'optional', iterations: 'optional' });
  const active = since('spectral', { gamma, from });
  checkCounts('ensembleRegularizer', { iterations });
  const { layers, inputs, parameters } = layout;
  const gammas = Float32Array.from(
    members.flatMap(({ regularizer }) => layers.map((layer) => (regularized(regularizer, layer) ? gamma : 0))),
  );
  const regularizes = (member: number, layer: number): boolean => gammas[member * layers.length + layer]! > 0;

  const each = (v: Float32Array, work: (m: number, l: number, v: Float32Array) => number): EnsembleDirections => {
    const sigma = new Float32Array(gammas.length);
    members.forEach((_, m) => {
      layers.forEach((layer, l) => {
        if (!regularizes(m, l)) return;
        const from = m * inputs + layer.direction;
        sigma[m * layers.length + l] = work(m, l, v.subarray(from, from + layer.in));
      });
    });
    return { sigma, v };
  };

  return {
    gammas,
    regularizes,
    active: (epoch) => active(epoch) && gammas.some((strength) => strength > 0),
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
      this.newest = (data as EnsembleDirections | null) ?? undefined;
    },
  };
}

/** Whether the regularizer names this layer; see `spectralKinds`. */
function regularized(kind: SpectralKind, { name }: PlacedLayer): boolean {
  if (kind === 'none') return false;
  return kind === 'll-spectral' || (kind === 'readout-spectral') === (name === 'readout');
}

/**
 * One power iteration for every regularized layer of every member, on the weights of each update it is given: `spectralTick`
 * for an ensemble. It emits nothing before the last epoch of the burn-in, and hands the directions to the regularizer.
 *
 * State: `EnsembleDirections`. Bound: one update. Order: that of the updates. Failure: none of its own.
 *
 * @example ensembleUpdates$.pipe(every({ updates: 1 }), ensembleTick(networks, ofNetworks))
 */
export function ensembleTick(
  { rows }: Ensemble,
  regularizer: EnsembleRegularizer,
): StageOperator<EnsembleUpdate, TickedEnsemble, EnsembleDirections | null> {
  regularizer.ticked = true;
  const hand = (directions: EnsembleDirections | null): EnsembleDirections | null => {
    regularizer.newest = directions ?? undefined;
    return directions;
  };
  return stage({
    name: 'spectral tick',
    claims: 'weights',
    start: () => hand(null),
    next(_, update) {
      if (!regularizer.active(update.epoch + 1)) return [null]; // before the last epoch of the burn-in
      const before = regularizer.newest; // from the training step, where the burn-in ended between two ticks
      const now = rows(update.weights);
      const directions = before === undefined ? regularizer.begin(now) : regularizer.iterate(before, now);
      return [hand(directions), { ...update, directions }];
    },
    save: (directions) => (directions ?? regularizer.newest ?? null) as unknown as Data,
    load: (data) => hand(data as unknown as EnsembleDirections | null),
  });
}

import type { Declaration } from '../../flow/header.js';
import { type Stage, type StageOperator, stage } from '../../flow/stage.js';
import { firstDirection } from '../spectral/power.js';
import { layerNormsRecord, tickRecord } from '../spectral/stages.js';
import { type Update, updateRecord } from '../update.js';
import type { Ensemble, EnsembleUpdate } from './ensemble.js';
import { type EnsembleRegularizer, iterateLayer, type TickedEnsemble } from './regularizer.js';

/** A record of one member after an update: it is logged under the member's name. */
export type OfMember<Out> = Out & {
  readonly network: string;
  readonly position: number;
  readonly number: number;
  readonly epoch: number;
};

/**
 * A stage that emits one record for each member of an ensemble after each update, in the order of the members.
 *
 * State: the number of the next member, so a run may stop between any two. Bound: one update. Failure: an error of `measure`.
 *
 * @param measure measures all members at once; gives the record of one of them by its number, or undefined for no record
 * @param claims whether it reads the weights, which are this update's only for as long as they are claimed
 */
export function memberRecords<In extends EnsembleUpdate, Out extends object>(
  name: string,
  { members }: Ensemble,
  measure: (update: In) => (member: number) => Out | undefined,
  { claims = true, record }: { readonly claims?: boolean; readonly record: Declaration },
): Stage<In, OfMember<Out>, number> {
  return {
    name,
    record: { ...record, ofMembers: true },
    ...(claims && { claims: 'weights' }),
    start: () => 0,
    *next(from, update) {
      const { position, number, epoch } = update;
      const recordOf = measure(update);
      for (let m = from; m < members.length; m++) {
        const next = (m + 1) % members.length;
        const record = recordOf(m);
        if (record === undefined) yield [next];
        else yield [next, { position, number, epoch, network: members[m]!.name, ...record }];
      }
    },
  };
}

export type MemberUpdate = ReturnType<EnsembleUpdate['of']> & Pick<Update, 'endsEpoch' | 'rate'>;

export type MemberSigma = { readonly sigma: Readonly<Record<string, number>> };

/**
 * Loss, accuracy and learning rate of every member at each update it is given, with the keys of `Update`.
 *
 * Bound, order, state, failure: those of `memberRecords`.
 *
 * @example ensembleUpdates$.pipe(memberUpdates(networks))
 */
export function memberUpdates(ensemble: Ensemble): StageOperator<EnsembleUpdate, OfMember<MemberUpdate>, number> {
  const measure =
    ({ endsEpoch, rate, of }: EnsembleUpdate) =>
    (m: number): MemberUpdate => ({ endsEpoch, ...(rate !== undefined && { rate }), ...of(m) });
  return stage(memberRecords('member updates', ensemble, measure, { record: updateRecord }));
}

/**
 * σ of every layer of every member, by power iteration to rounding: for curves.
 *
 * Bound, order, state, failure: those of `memberRecords`.
 *
 * @example ensembleUpdates$.pipe(every({ epochs: 50 }), memberNorms(networks))
 */
export function memberNorms(ensemble: Ensemble): StageOperator<EnsembleUpdate, OfMember<MemberSigma>, number> {
  const { layers, parameters } = ensemble.layout;
  const start = layers.map((layer, l) => firstDirection(0, l, layer.in));
  const measure = (update: EnsembleUpdate) => {
    const rows = ensemble.rows(update.weights);
    const sigma = (m: number, l: number): number =>
      iterateLayer(rows, m * parameters, layers[l]!, start[l]!.slice(), 10_000, 1e-7); // its error is the square of v's
    return (m: number): MemberSigma => ({
      sigma: Object.fromEntries(layers.map(({ name }, l) => [name, sigma(m, l)])),
    });
  };
  return stage(memberRecords('layer norms', ensemble, measure, { record: layerNormsRecord }));
}

/**
 * σ of every regularized layer of every member, as `ensembleTick` found it; no record of a member without one. It stands behind
 * the tick, and reads no weights.
 *
 * Bound, order, state, failure: those of `memberRecords`.
 *
 * @example ensembleTicks$.pipe(every({ epochs: 50 }), memberTicks(networks, ofNetworks))
 */
export function memberTicks(
  ensemble: Ensemble,
  regularizer: EnsembleRegularizer,
): StageOperator<TickedEnsemble, OfMember<MemberSigma>, number> {
  const { layers } = ensemble.layout;
  const measure =
    ({ directions }: TickedEnsemble) =>
    (m: number): MemberSigma | undefined => {
      const own = layers.flatMap(({ name }, l) =>
        regularizer.regularizes(m, l) ? [[name, directions.sigma[m * layers.length + l]!] as const] : [],
      );
      return own.length === 0 ? undefined : { sigma: Object.fromEntries(own) };
    };
  return stage(memberRecords('member ticks', ensemble, measure, { claims: false, record: tickRecord }));
}

import type { Declaration } from '../../flow/header.js';
import type { Stage } from '../../flow/stage.js';
import { layerNormsRecord } from '../spectral/layer-norms.js';
import { firstDirection } from '../spectral/power.js';
import { type Update, updateRecord } from '../update.js';
import type { Ensemble, EnsembleUpdate } from './ensemble.js';
import { type Directions, type EnsembleRegularizer, iterateLayer } from './regularizer.js';

/** A record of one member after an update: it is logged under the member's name. */
export type OfMember<Out> = Out & {
  readonly network: string;
  readonly position: number;
  readonly number: number;
  readonly epoch: number;
};

/**
 * A stage that says something of every member of an ensemble after each update, one record a member and in their order.
 *
 * State: the member whose turn it is, so a run may stop between any two. Bound: one update. Failure: what `look` throws.
 *
 * @param look at all members at once; then what it found of one of them, or nothing to be said
 */
export function memberRecords<In extends EnsembleUpdate, Out extends object>(
  name: string,
  { members }: Ensemble,
  look: (update: In) => (member: number) => Out | undefined,
  {
    claims = true,
    record,
  }: {
    /** Whether it needs what is there only during the update's lease. */
    readonly claims?: boolean;
    readonly record?: Declaration;
  } = {},
): Stage<In, OfMember<Out>, number> {
  return {
    name,
    ...(record && { record }),
    ...(claims && { claims: 'weights' }),
    start: () => 0,
    *next(from, update) {
      const { position, number, epoch } = update;
      const found = look(update);
      for (let m = from; m < members.length; m++) {
        const next = (m + 1) % members.length;
        const said = found(m);
        if (said === undefined) yield [next];
        else yield [next, { position, number, epoch, network: members[m]!.name, ...said }];
      }
    },
  };
}

type Sigma = { readonly sigma: Readonly<Record<string, number>> };

/** Loss, accuracy and learning rate of every member at each update it is given, as `Update` has them. @example updates$.pipe(memberUpdates(networks)) */
export function memberUpdates(
  ensemble: Ensemble,
): Stage<EnsembleUpdate, OfMember<ReturnType<EnsembleUpdate['of']> & Pick<Update, 'endsEpoch' | 'rate'>>, number> {
  const look = (update: EnsembleUpdate) => (m: number) => {
    const { endsEpoch, rate } = update;
    return { endsEpoch, ...(rate !== undefined && { rate }), ...update.of(m) };
  };
  return memberRecords('member updates', ensemble, look, { record: updateRecord });
}

/** σ of every layer of every member, by power iteration to rounding: for curves. @example updates$.pipe(memberNorms(networks)) */
export function memberNorms(ensemble: Ensemble): Stage<EnsembleUpdate, OfMember<Sigma>, number> {
  const { layers, parameters } = ensemble.layout;
  const start = layers.map((layer, l) => firstDirection(0, l, layer.in));
  const look = (update: EnsembleUpdate) => {
    const rows = ensemble.rows(update.weights);
    const sigma = (m: number, l: number): number =>
      iterateLayer(rows, m * parameters, layers[l]!, start[l]!.slice(), 10_000, 1e-7); // its error is the square of v's
    return (m: number) => ({ sigma: Object.fromEntries(layers.map(({ name }, l) => [name, sigma(m, l)])) });
  };
  return memberRecords('layer norms', ensemble, look, { record: layerNormsRecord });
}

/**
 * What a tick found of every regularized layer, at once: it stands behind a stage that claims the weights, and needs them no more.
 *
 * @example ticks$.pipe(every({ epochs: 50 }), memberTicks(networks, regularizer))
 */
export function memberTicks(
  ensemble: Ensemble,
  regularizer: EnsembleRegularizer,
): Stage<EnsembleUpdate & { readonly directions: Directions }, OfMember<Sigma>, number> {
  const { layers } = ensemble.layout;
  type Ticked = EnsembleUpdate & { readonly directions: Directions };
  const look =
    ({ directions }: Ticked) =>
    (m: number): Sigma | undefined => {
      const own = layers.flatMap(({ name }, l) =>
        regularizer.regularizes(m, l) ? [[name, directions.sigma[m * layers.length + l]!] as const] : [],
      );
      return own.length === 0 ? undefined : { sigma: Object.fromEntries(own) };
    };
  return memberRecords('member ticks', ensemble, look, { claims: false, record: layerNormsRecord });
}

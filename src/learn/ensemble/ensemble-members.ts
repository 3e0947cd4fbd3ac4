import type { Stage } from '../../flow/core-stage.js';
import type { Update } from '../learn-update.js';
import { firstDirection } from '../spectral/dense.js';
import type { Ensemble } from './ensemble-ensemble.js';
import type { Directions, EnsembleRegularizer } from './penalty.js';
import { iterateLayer } from './power.js';
import { memberRecords, type OfMember } from './records.js';
import type { EnsembleUpdate } from './update.js';

type Sigma = { readonly sigma: Readonly<Record<string, number>> };

/** Loss, accuracy and learning rate of every member at each update it is given, as `Update` has them. @example updates$.pipe(memberUpdates(networks)) */
export function memberUpdates(
  ensemble: Ensemble,
): Stage<EnsembleUpdate, OfMember<ReturnType<EnsembleUpdate['of']> & Pick<Update, 'endsEpoch' | 'rate'>>, number> {
  return memberRecords('member updates', ensemble, (update: EnsembleUpdate) => (m) => {
    const { endsEpoch, rate } = update;
    return { endsEpoch, ...(rate !== undefined && { rate }), ...update.of(m) };
  });
}

/** σ of every layer of every member, by power iteration to rounding: for curves. @example updates$.pipe(memberNorms(networks)) */
export function memberNorms(ensemble: Ensemble): Stage<EnsembleUpdate, OfMember<Sigma>, number> {
  const { layers, parameters } = ensemble.layout;
  const start = layers.map((layer, l) => firstDirection(0, l, layer.in));
  return memberRecords('layer norms', ensemble, (update: EnsembleUpdate) => {
    const rows = ensemble.rows(update.weights);
    const sigma = (m: number, l: number): number =>
      iterateLayer(rows, m * parameters, layers[l]!, start[l]!.slice(), 10_000, 1e-7); // its error is the square of v's
    return (m) => ({ sigma: Object.fromEntries(layers.map(({ name }, l) => [name, sigma(m, l)])) });
  });
}

/**
 * What a tick found of every penalized layer, at once: it stands behind a stage that claims the weights, and needs them no more.
 *
 * @example ticks$.pipe(every({ epochs: 50 }), memberTicks(networks, penalty))
 */
export function memberTicks(
  ensemble: Ensemble,
  penalty: EnsembleRegularizer,
): Stage<EnsembleUpdate & { readonly directions: Directions }, OfMember<Sigma>, number> {
  const { layers } = ensemble.layout;
  type Ticked = EnsembleUpdate & { readonly directions: Directions };
  const look =
    ({ directions }: Ticked) =>
    (m: number): Sigma | undefined => {
      const own = layers.flatMap(({ name }, l) =>
        penalty.penalizes(m, l) ? [[name, directions.sigma[m * layers.length + l]!] as const] : [],
      );
      return own.length === 0 ? undefined : { sigma: Object.fromEntries(own) };
    };
  return memberRecords('member ticks', ensemble, look, { claims: false });
}

import type { Stage } from '../../flow/core-stage.js';
import type { Ensemble } from './ensemble-ensemble.js';
import type { EnsembleUpdate } from './update.js';

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
  { claims = true }: { /** Does it need what stands only in the update's turn? */ readonly claims?: boolean } = {},
): Stage<In, OfMember<Out>, number> {
  return {
    name,
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

import type { Data } from '../flow/data.js';
import { type Stage, type StageOperator, type Step, severalSteps, stage } from '../flow/stage.js';
import type { Ensemble, EnsembleMember, EnsembleUpdate } from '../learn/ensemble/ensemble.js';
import type { Update } from '../learn/update.js';
import { tf } from '../tensorflow/tf.js';

/** Which member is measured, and the state of everyone's stage; nothing where a member is passed over. */
export interface EachState<State> {
  readonly at: number;
  readonly states: readonly (State | undefined)[];
}

/**
 * An ordinary measuring stage for every member of an ensemble, one after another; what it gives carries the member's name in
 * `network`. A member is shown to its stage as a network by itself (`ensemble.model`), its weights copied out of everyone's.
 *
 *   updates                        0-----------1--|
 *   eachMember(…, layer norms)     a0-b0-c0----a1-b1-c1|
 *
 * Bound: one member's weights besides what the stage itself needs. Order: that of the members. State: every stage's, and whose
 * turn it is; going on from any step gives the same. Failure: the stage's own. All stages must be of one kind.
 *
 * @param make the stage of a member; undefined passes it over
 * @example ensembleUpdates$.pipe(atEnd(), eachMember(networks, () => tangentAttack(networks.model, points, { samples: 4, seed })))
 */
export function eachMember<Out extends object, State>(
  ensemble: Ensemble,
  make: (member: EnsembleMember, index: number) => Stage<Update, Out, State> | undefined,
): StageOperator<EnsembleUpdate, Out & { readonly network: string }, EachState<State>> {
  const { members } = ensemble;
  const stages = members.map(make);
  const after = (m: number): number => {
    const next = stages.findIndex((stage, i) => i >= m && stage !== undefined);
    return next === -1 ? stages.findIndex((stage) => stage !== undefined) : next;
  };

  return stage<EnsembleUpdate, Out & { readonly network: string }, EachState<State>>({
    name: stages.find((stage) => stage !== undefined)?.name ?? 'each member',
    claims: 'weights',
    ...recordOf(stages),
    inputs: stages.flatMap((stage) => stage?.inputs ?? []),
    start: () => ({ at: after(0), states: stages.map((stage) => stage?.start()) }),

    introduce(incoming, { states }, declared) {
      stages.forEach((stage, m) => {
        stage?.introduce?.(incoming, states[m]!, declared);
      });
      return incoming;
    },

    *next(state, update) {
      let now = state;
      for (let m = state.at; m >= 0 && m < members.length; m++) {
        const stage = stages[m];
        if (stage === undefined) continue;
        const network = members[m]!.name;
        const weights = ensemble.alone(update.weights, m);
        const step = (
          at: number,
          made: Step<State, Out>,
        ): Step<EachState<State>, Out & { readonly network: string }> => {
          const moved = at !== now.at || !Object.is(made[0], now.states[m]);
          if (moved) now = { at, states: now.states.with(m, made[0]) };
          return made.length === 1 ? [now] : [now, { ...made[1], network }];
        };
        try {
          let made: Step<State, Out> | undefined;
          for (const next of severalSteps(
            stage.next(now.states[m]!, { ...update, ...update.of(m), weights }),
            stage.name,
          )) {
            if (made !== undefined) yield step(m, made);
            made = next;
          }
          if (made !== undefined) yield step(after(m + 1), made); // with its last step a member is through
        } finally {
          tf.dispose([...weights.values()]);
        }
      }
    },

    save: ({ at, states }) => ({
      at,
      states: states.map((state, m) =>
        stages[m]?.save === undefined || state === undefined ? (state as Data) : stages[m].save(state),
      ),
    }),
    load: (data, position) => {
      const { at, states } = data as { readonly at: number; readonly states: readonly Data[] };
      return {
        at,
        states: states.map((state, m) =>
          stages[m]?.load === undefined ? (state as State) : stages[m].load(state, position),
        ),
      };
    },
  });
}

/** All stages are of one kind, and so are their records. */
const recordOf = (stages: readonly (Pick<Stage<never, unknown, unknown>, 'record'> | undefined)[]) => {
  const record = stages.find((stage) => stage !== undefined)?.record;
  return record && { record: { ...record, ofMembers: true } };
};

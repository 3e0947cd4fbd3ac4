import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { concatWith, EMPTY, from, type Observable, throwError } from 'rxjs';
import type { Data, Positioned } from '../../flow/data.js';
import { Lease, leaseKey } from '../../flow/lease.js';
import { checkOptions } from '../../flow/options.js';
import { type Stage, type Step, stage } from '../../flow/stage.js';
import { logStage } from '../../storage/log-stage.js';
import type { RecordSchema } from '../../storage/record.js';
import { tf } from '../../tensorflow/tf.js';
import { type PartTest, partTests, same } from './part-test.js';

export interface StageTestOptions<In extends Positioned, Out, State> {
  /** Builds the stage, the same each time. It is called when a test runs. */
  readonly make: () => Stage<In, Out, State>;
  /** Three items or so, by rising position, that stay good when they are given twice; for a measurement `updatesFor(model)`. */
  readonly items: () => readonly In[];
}

/**
 * The rules for a stage, a measurement among them: restored at every step it gives the same rest; its outputs are as its record declares
 * them; tensors are given back; an error from upstream passes through.
 *
 * @example
 * const model = weir.mlp([2, 4, 2]);
 * for (const { name, run } of stageTests({ make: weightSizes, items: () => updatesFor(model) })) test(name, run);
 */
export function stageTests<In extends Positioned, Out, State>(options: StageTestOptions<In, Out, State>): PartTest[] {
  const { make, items } = checkOptions('stageTests', options, { make: 'required', items: 'required' });
  return partTests({
    'restored at every step it gives the same rest'() {
      const given = items();
      const whole = traced(make(), given);
      const stepsOf = (count: number) => traced(make(), given.slice(0, count)).length;
      for (const [at, { saved }] of whole.entries()) {
        const next = make();
        const copy = structuredClone(saved);
        const state = next.load === undefined ? (copy as State) : next.load(copy);
        // the item it was inside of, or the next one where it was at rest
        let item = 0;
        while (item < given.length && stepsOf(item + 1) <= at + 1) item++;
        same(traced(next, given, { state, item }), whole.slice(at + 1), `the rest after step ${at}`);
      }
    },

    async 'what it emits can be logged, and is as its record declares it'() {
      const one = make();
      const record = one.record as RecordSchema | undefined;
      if (record === undefined) return;
      const log = stage(
        logStage(
          'network',
          'stream',
          () => undefined,
          () => record,
        ),
      );
      assert.equal(await errorOf(from(items()).pipe(stage(one), log as never)), undefined);
    },

    'it leaves no tensors behind'() {
      const given = items();
      traced(make(), given); // what it keeps for good
      const before = tf.memory().numTensors;
      traced(make(), given);
      assert.equal(tf.memory().numTensors, before, 'tensors after all items, and before them');
    },

    async 'an error from upstream passes through it, and it ends where nothing comes'() {
      const failed = new Error('upstream');
      const source$ = from(items()).pipe(concatWith(throwError(() => failed)));
      assert.equal(await errorOf(source$.pipe(stage(make()))), failed);
      assert.equal(await errorOf(EMPTY.pipe(stage(make()))), undefined);
    },
  });
}

/** All steps of a stage over items, as it is saved after each, and its output in each; less those that only breathe. */
function traced<In extends Positioned, Out, State>(
  one: Stage<In, Out, State>,
  items: readonly In[],
  begun?: { readonly state: State; readonly item: number },
): { readonly saved: Data; readonly output: unknown }[] {
  const trace: { saved: Data; output: unknown }[] = [];
  let state = begun === undefined ? one.start() : begun.state;
  const save = (): Data => structuredClone(one.save?.(state) ?? (state as Data));
  let last = save();
  for (const item of items.slice(begun?.item ?? 0)) {
    const lease = new Lease(item.position);
    const result = one.next(state, { ...item, [leaseKey]: lease });
    for (const step of isStep(result) ? [result] : result) {
      state = step[0];
      const saved = save();
      if (step.length > 1 || !isDeepStrictEqual(saved, last)) trace.push({ saved, output: plain(step[1]) });
      last = saved;
    }
    lease.close();
  }
  (one as { dispose?(state: State): void }).dispose?.(state); // a training step's
  return trace;
}

const isStep = <State, Out>(result: Step<State, Out> | Iterable<Step<State, Out>>): result is Step<State, Out> =>
  Array.isArray(result);

/** An output as it can be compared: numbers are read, tensors and functions left out. */
const plain = (output: unknown): unknown =>
  JSON.parse(JSON.stringify(output ?? null, (key, value) => (key === 'weights' ? undefined : value)));

const errorOf = (stream$: Observable<unknown>): Promise<unknown> =>
  new Promise((resolve) => {
    stream$.subscribe({ error: resolve, complete: () => resolve(undefined) });
  });

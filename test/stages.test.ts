import { from, of, throwError } from 'rxjs';
import { concatWith, toArray } from 'rxjs/operators';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Data } from '../src/core/data.js';
import type { Positioned } from '../src/core/item.js';
import { type Stage, type Step, stage } from '../src/core/stage.js';
import { xor } from '../src/feed/source/xor.js';
import { loadTensorFlow, tf } from '../src/learn/device/tf.js';
import { crossEntropy } from '../src/learn/loss/cross-entropy.js';
import { mlp } from '../src/learn/model/mlp.js';
import { sgd } from '../src/learn/optimiser/sgd.js';
import { layerNorms } from '../src/learn/spectral/layer-norms.js';
import { spectralPenalty } from '../src/learn/spectral/penalty.js';
import { spectralTick } from '../src/learn/spectral/tick.js';
import { type Batch, trainStage } from '../src/learn/train.js';
import type { Update } from '../src/learn/update.js';
import { accuracy } from '../src/measure/accuracy.js';
import { tangentAttack } from '../src/measure/attack/tangent-attack.js';
import { journal } from '../src/run/journal.js';

beforeAll(() => loadTensorFlow());

const points = xor();

/** Updates whose weights stand for ever, so that they can be shown to a stage twice. */
function updates(): Update[] {
  const weights = mlp([2, 4, 2]).start(7);
  return [0, 1, 2].map((number) => ({
    ...{ position: 4 * number, number, epoch: number, endsEpoch: true, weights },
    loss: () => 1 / (number + 1),
    epochLoss: () => 1,
    epochAccuracy: () => 0.5,
  }));
}

const batches = (): Batch[] =>
  [1, 2, 3].map((epoch) => ({
    ...{ position: 4 * epoch, epoch, remaining: 0, sampleShape: [2] },
    values: Float32Array.from(points.values),
    labels: Uint8Array.from(points.labels),
  }));

// biome-ignore lint/suspicious/noExplicitAny: the rows have nothing in common but being stages
type Row = { readonly make: () => Stage<any, any, any>; readonly items: () => Positioned[] };

const rows: Record<string, Row> = {
  train: {
    make: () =>
      trainStage(mlp([2, 4, 2]), { loss: crossEntropy(), optimiser: sgd({ rate: 0.5, momentum: 0.9 }), seed: 1 }),
    items: batches,
  },
  'spectral tick': {
    make: () => spectralTick(spectralPenalty('ll-spectral', mlp([2, 4, 2]), { gamma: 0.1 })),
    items: updates,
  },
  'layer norms': { make: () => layerNorms(mlp([2, 4, 2])), items: updates },
  accuracy: { make: () => accuracy(mlp([2, 4, 2]), points, { batch: 1 }), items: updates },
  'tangent attack': {
    make: () =>
      tangentAttack(mlp([2, 4, 2]), points, {
        samples: 3,
        seed: 0,
        iterations: 2,
        group: 2,
        box: { min: -2, max: 2 },
        choose: 'all',
      }),
    items: updates,
  },
  journal: { make: () => journal('net', 'updates', () => undefined), items: updates },
};

/** All steps of a stage over items, as it saves itself after each, and what it says in each. */
type Trace = { readonly saved: Data; readonly output: unknown }[];

function isStep(result: Step<unknown, unknown> | Iterable<Step<unknown, unknown>>): result is Step<unknown, unknown> {
  return Array.isArray(result);
}

function run(
  one: ReturnType<Row['make']>,
  items: readonly Positioned[],
  from?: { state: unknown; item: number },
): Trace {
  const trace: Trace = [];
  let state = from === undefined ? one.start() : from.state;
  for (const item of items.slice(from?.item ?? 0)) {
    const result = one.next(state, item);
    for (const step of isStep(result) ? [result] : result) {
      state = step[0];
      trace.push({ saved: structuredClone(one.save?.(state) ?? (state as Data)), output: plain(step[1]) });
    }
  }
  (one as { dispose?(state: unknown): void }).dispose?.(state);
  return trace;
}

/** What can be compared: numbers are read, tensors and functions left out. */
const plain = (output: unknown): unknown =>
  JSON.parse(JSON.stringify(output ?? null, (key, value) => (key === 'weights' ? undefined : value)));

describe.each(Object.entries(rows))('%s', (_, { make, items }) => {
  test('restored at every step it gives the same rest', () => {
    const given = items();
    const whole = run(make(), given);
    const stepsOf = (count: number) => run(make(), given.slice(0, count)).length;
    for (let at = 0; at < whole.length; at++) {
      const next = make();
      const state =
        next.load === undefined ? structuredClone(whole[at]!.saved) : next.load(structuredClone(whole[at]!.saved));
      // the item it was inside of, or the next one where it was at rest
      let item = 0;
      while (item < given.length && stepsOf(item + 1) <= at + 1) item++;
      expect(run(next, given, { state, item })).toEqual(whole.slice(at + 1));
    }
  });

  test('it leaves no tensors behind', () => {
    const given = items();
    run(make(), given);
    const before = tf.memory().numTensors;
    run(make(), given);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('an error from upstream passes through it', async () => {
    const source$ = from(items()).pipe(concatWith(throwError(() => new Error('upstream'))));
    expect(await lastError(source$.pipe(stage(make()), toArray()))).toMatchObject({ message: 'upstream' });
    expect(await lastError(of<Positioned>().pipe(stage(make())))).toBeUndefined();
  });
});

function lastError(stream: { subscribe(observer: object): unknown }): Promise<unknown> {
  return new Promise((resolve) => {
    stream.subscribe({ error: resolve, complete: () => resolve(undefined) });
  });
}

import { isDeepStrictEqual } from 'node:util';
import { from, of, throwError } from 'rxjs';
import { concatWith, toArray } from 'rxjs/operators';
import { beforeAll, describe, expect, test } from 'vitest';
import { xor, xorOfEach } from '../src/data/datasets/synthetic.js';
import type { Data, Positioned } from '../src/flow/data.js';
import { Lease, leaseKey } from '../src/flow/lease.js';
import { type Stage, type Step, stage } from '../src/flow/stage.js';
import { type EnsembleUpdate, ensemble } from '../src/learn/ensemble/ensemble.js';
import { memberNorms } from '../src/learn/ensemble/members.js';
import { ensembleRegularizer, ensembleTick } from '../src/learn/ensemble/regularizer.js';
import { ensembleStage } from '../src/learn/ensemble/train.js';
import { crossEntropy } from '../src/learn/loss/cross-entropy.js';
import { barlowTwins } from '../src/learn/loss/views.js';
import { mlp } from '../src/learn/model/mlp.js';
import { sgd } from '../src/learn/optimizer/sgd.js';
import { spectralRegularizer } from '../src/learn/regularizer/spectral.js';
import { layerNorms, spectralTick } from '../src/learn/spectral/stages.js';
import { type Batch, trainStage } from '../src/learn/train.js';
import type { Update } from '../src/learn/update.js';
import { accuracy } from '../src/measure/accuracy/accuracy.js';
import { alignment } from '../src/measure/alignment/alignment.js';
import { tangentAttack } from '../src/measure/attack/tangent-attack.js';
import { certificate } from '../src/measure/certificate/certificate.js';
import { exactDistances } from '../src/measure/geometry/exact-distances.js';
import { geometryGrid, geometryPlane } from '../src/measure/geometry/geometry.js';
import { eachMember } from '../src/measure/member.js';
import { onlineReadout } from '../src/measure/readout/online-readout.js';
import { readout } from '../src/measure/readout/readout.js';
import { tracking } from '../src/measure/tracking/tracking.js';
import { keepBest, type Measured, stopEarly } from '../src/run/best.js';
import { logStage } from '../src/storage/log-stage.js';
import type { RecordSchema } from '../src/storage/record.js';
import { loadTensorFlow, tf } from '../src/tensorflow/tf.js';

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

const networks = ensemble(
  [2, 4, 2],
  [
    { name: 'rep-s1', seed: 1, regularizer: 'rep-spectral' },
    { name: 'll-s2', seed: 2, regularizer: 'll-spectral' },
    { name: 'none-s3', seed: 3, regularizer: 'none' },
  ],
);

type Lossy = Measured & { readonly loss: number };

/** The same of an ensemble. */
function ensembleUpdates(): EnsembleUpdate[] {
  const weights = networks.start();
  return updates().map((update) => ({ ...update, weights, of: (m) => ({ ...update, loss: () => m }) }));
}

// biome-ignore lint/suspicious/noExplicitAny: the rows have nothing in common but being stages
type Row = { readonly make: () => Stage<any, any, any>; readonly items: () => Positioned[] };

const rows: Record<string, Row> = {
  train: {
    make: () =>
      trainStage(mlp([2, 4, 2]), { loss: crossEntropy(), optimizer: sgd({ rate: 0.5, momentum: 0.9 }), seed: 1 }),
    items: batches,
  },
  'spectral tick': {
    make: () => spectralTick(spectralRegularizer('ll-spectral', mlp([2, 4, 2]), { gamma: 0.1 })),
    items: updates,
  },
  'stop early': {
    make: () => stopEarly<Lossy>({ by: 'loss', better: 'lower', patience: 1 }),
    items: () => updates().map((update) => ({ ...update, loss: update.number })),
  },
  'keep best': {
    make: () => keepBest<Lossy>({ by: 'loss', better: 'lower', count: 2 }),
    items: () => updates().map((update) => ({ ...update, loss: -update.number })),
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
        budget: 200, // noise changes nothing at one of these points: it is not asked 5000 times at every step
      }),
    items: updates,
  },
  certificate: {
    make: () =>
      certificate(mlp([2, 4, 2]), points, { samples: 3, seed: 0, choose: 'all', points: 3, steps: 2, local: ['l2'] }),
    items: updates,
  },
  'geometry grid': { make: () => geometryGrid(mlp([2, 4, 2]), { resolution: 5, batch: 10, points }), items: updates },
  'geometry plane': {
    make: () => geometryPlane(mlp([2, 4, 2]), points, { resolution: 3, batch: 5, topEigenvalue: { input: 3 } }),
    items: updates,
  },
  'exact distances': {
    make: () => exactDistances(mlp([2, 4, 2]), points, { reach: 0.2, directions: 100 }),
    items: updates,
  },
  readout: {
    make: () => readout(mlp([2, 4, 2]), points, points, { batch: 3, fit: 'converged', gradientTolerance: 1e-9 }),
    items: updates,
  },
  'online readout': {
    make: () =>
      onlineReadout(mlp([2, 4, 2]), points, points, { batch: 3, fit: 'converged', gradientTolerance: 1e-9, images: 4 }),
    items: updates,
  },
  'train on two views': {
    make: () =>
      trainStage(mlp([2, 4, 2]), { loss: barlowTwins(), optimizer: sgd({ rate: 0.5, momentum: 0.9 }), seed: 1 }),
    items: () =>
      batches().map((batch) => ({
        ...{ ...batch, sampleShape: [2, 2] },
        values: Float32Array.from({ length: 16 }, (_, i) => batch.values[i % 8]! + Math.sin(i)),
      })),
  },
  'ensemble: train': {
    make: () => {
      const regularizer = ensembleRegularizer(networks, { gamma: 0.1, from: { epoch: 1 } });
      regularizer.ticked = true;
      return ensembleStage(networks, { sgd: { rate: 0.5, momentum: 0.9 }, regularizer });
    },
    items: () => batches().map((batch) => ({ ...batch, values: xorOfEach([1, 2, 3]).values.slice() })),
  },
  'ensemble: spectral tick': {
    make: () => ensembleTick(networks, ensembleRegularizer(networks, { gamma: 0.1 })),
    items: ensembleUpdates,
  },
  'ensemble: layer norms': { make: () => memberNorms(networks), items: ensembleUpdates },
  'ensemble: each member': {
    make: () => eachMember(networks, ({ seed }) => (seed === 2 ? undefined : layerNorms(mlp([2, 4, 2])))),
    items: ensembleUpdates,
  },
  'ensemble: accuracy of each member': {
    make: () => eachMember(networks, () => accuracy(networks.model, points, { batch: 1 })),
    items: ensembleUpdates,
  },
  tracking: { make: () => tracking(mlp([2, 4, 2]), points, { indices: [0, 3] }), items: updates },
  alignment: { make: () => alignment(mlp([2, 4, 2]), points), items: updates },
  'log stage': { make: () => logStage('net', 'updates', () => undefined), items: updates },
};

/** All steps of a stage over items, as it saves itself after each, and what it says in each; less those that only breathe. */
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
  const save = (): Data => structuredClone(one.save?.(state) ?? (state as Data));
  let last = save();
  for (const item of items.slice(from?.item ?? 0)) {
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

  test('what it emits can be logged, and matches the schema that it declares', async () => {
    const { record } = make();
    const logged = stage(
      logStage(
        'net',
        'its',
        () => undefined,
        () => record as RecordSchema | undefined,
      ),
    );
    if (record === undefined) return;
    expect(await lastError(from(items()).pipe(stage(make()), logged))).toBeUndefined();
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

import { from, lastValueFrom, map, type Observable, toArray } from 'rxjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { augment } from '../../src/data/augment/augment.js';
import { batch as batches } from '../../src/data/batch.js';
import { xor } from '../../src/data/datasets/synthetic.js';
import { loader } from '../../src/data/loader.js';
import { type Data, sizeOf } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { keyed } from '../../src/flow/random.js';
import { atEnd } from '../../src/flow/schedule.js';
import type { Step } from '../../src/flow/stage.js';
import type { FlowState } from '../../src/flow/state.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { barlowTwins, ntXent } from '../../src/learn/loss/views.js';
import { mlp } from '../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { type RegularizerKind, regularizer } from '../../src/learn/regularizer/registry.js';
import { isSpectral, spectralRegularizer } from '../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../src/learn/spectral/stages.js';
import { type Batch, type Training, train, trainStage } from '../../src/learn/train.js';
import type { TrainState, Update } from '../../src/learn/update.js';
import { hasNative } from '../../src/tensorflow/ops/eager.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const features = 5;
const classes = 3;
const perEpoch = 10;
const model = mlp([features, 7, 6, classes]);
const usual = { loss: crossEntropy(), optimizer: sgd({ rate: 0.3, momentum: 0.9, decay: 1e-2 }), seed: 4 };

/** The samples of some epochs of ten, cut into batches of these sizes; sizes are taken round and round. */
function cut(sizes: readonly number[], epochs: number, shape: readonly number[] = [features]): Batch[] {
  const width = sizeOf(shape);
  const cuts: Batch[] = [];
  for (let position = 0, i = 0; position < epochs * perEpoch; i++) {
    const first = position;
    position += sizes[i % sizes.length]!;
    const at = (sample: number) => keyed(1, 'sample', sample);
    const samples = Array.from({ length: position - first }, (_, k) => first + k);
    cuts.push({
      position,
      epoch: Math.floor(first / perEpoch) + 1,
      remaining: (perEpoch - (position % perEpoch)) % perEpoch,
      sampleShape: shape,
      values: Float32Array.from(
        samples.flatMap((sample) => {
          const random = at(sample);
          return Array.from({ length: width }, () => random.normal());
        }),
      ),
      labels: Uint8Array.from(samples.map((sample) => sample % classes)),
    });
  }
  return cuts;
}

/** Trains on batches; every update's numbers are read at once, as its tensors go with the next. */
function trained(of: Model, training: Training, given: readonly Batch[], seen?: (state: TrainState) => void) {
  const stage = trainStage(of, training);
  let state = stage.start();
  const updates: (Record<string, unknown> | undefined)[] = [];
  for (const batch of given) {
    const step: Step<TrainState, Update> = stage.next(state, batch);
    state = step[0];
    updates.push(step[1] && numbersOf(step[1]));
    seen?.(state);
  }
  const saved = structuredClone(stage.save(state));
  stage.dispose(state);
  return { updates, saved };
}

const numbersOf = ({ number, epoch, endsEpoch, position, ...update }: Update) => ({
  number,
  epoch,
  endsEpoch,
  position,
  loss: update.loss(),
  epochLoss: update.epochLoss(),
  accuracy: update.epochAccuracy(),
});

type Saved = { readonly weights: { readonly name: string; readonly values: Float32Array }[] };
const valuesOf = (saved: Data) => (saved as unknown as Saved).weights.flatMap(({ values }) => [...values]);

describe.each<RegularizerKind>(['none', 'rep-spectral', 'l2-sp', 'feature-jacobian', 'cross-lipschitz'])(
  'with the regularizer %s',
  (kind) => {
    test('batches of 4, 4 and 2 samples make the update of one batch of 10', () => {
      const with10 = (accumulate?: number): Training => {
        const term = regularizer(kind, model, { gamma: 0.1, start: () => model.start(9) });
        if (isSpectral(term)) term.ticked = true;
        return { ...usual, regularizer: term, ...(accumulate && { accumulate }) };
      };
      const whole = trained(model, with10(), cut([10], 5));
      const parts = trained(model, with10(3), cut([4, 4, 2], 5));
      expect(whole.updates).toHaveLength(5);
      expect(parts.updates.filter((update) => update !== undefined)).toEqual(
        whole.updates.map((update) => ({
          ...update,
          loss: expect.closeTo(update!.loss as number, 5),
          epochLoss: expect.closeTo(update!.epochLoss as number, 5),
        })),
      );
      expect(valuesOf(parts.saved)).toEqual(valuesOf(whole.saved).map((x) => expect.closeTo(x, 5)));
    });
  },
);

test('so many batches make an update, the last of an epoch takes what is left, and sums are over samples', () => {
  const { updates } = trained(model, { ...usual, accumulate: 2 }, cut([2], 2));
  const at = (number: number, position: number) => ({
    number,
    position,
    epoch: position <= 10 ? 1 : 2,
    endsEpoch: position % 10 === 0,
  });
  const none = undefined;
  expect(updates).toMatchObject([
    none,
    at(1, 4),
    none,
    at(2, 8),
    at(3, 10),
    none,
    at(4, 14),
    none,
    at(5, 18),
    at(6, 20),
  ]);
  const [first, second, third] = [updates[1]!, updates[3]!, updates[4]!] as { loss: number; epochLoss: number }[];
  expect(second!.epochLoss).toBeCloseTo((4 * first!.loss + 4 * second!.loss) / 8, 5);
  expect(third!.epochLoss).toBeCloseTo((4 * first!.loss + 4 * second!.loss + 2 * third!.loss) / 10, 5);
  const correct = (updates[4] as { accuracy: number }).accuracy * 10;
  expect(correct).toBeCloseTo(Math.round(correct), 4);
});

test('one batch an update is what it is without the option, to the bit', () => {
  const given = cut([4, 4, 2], 4);
  expect(trained(model, { ...usual, accumulate: 1 }, given)).toEqual(trained(model, usual, given));
});

test('running statistics move at every batch, as in PyTorch, but the weights of an update stand until the next', (context) => {
  if (!hasNative()) context.skip();
  const of = resnet({ depth: 20, classes, inputSize: [8, 8], width: 2 });
  const constant = { ...usual, optimizer: sgd({ rate: 0 }) };
  const given = cut([4, 4, 2], 1, [8, 8, 3]);
  const each = trained(of, constant, given);
  let standing: Weights | undefined;
  const mean = () => [...standing!.get('stem/norm/mean')!.dataSync()];
  let first: number[] | undefined;
  const accumulated = trained(of, { ...constant, accumulate: 3 }, given, (state) => {
    if (state.number === 1) return;
    standing = state.weights;
    first ??= mean();
    expect(mean()).toEqual(first);
  });
  expect(first).toEqual(Array(2).fill(0));
  expect(accumulated.updates.map((update) => update?.number)).toEqual([undefined, undefined, 1]);
  const { weights } = accumulated.saved as unknown as Saved;
  expect(weights).toEqual((each.saved as unknown as Saved).weights); // the rate is 0: nothing else has moved
  expect([...weights.find(({ name }) => name === 'stem/norm/mean')!.values].every((x) => x !== 0)).toBe(true);
});

test('it leaves no tensors behind, in the middle of a group either', () => {
  const stage = trainStage(model, { ...usual, accumulate: 3 });
  const before = tf.memory().numTensors;
  const given = cut([2], 4);
  let state = stage.start();
  const counts: number[] = [];
  for (const batch of given.slice(0, 17)) {
    [state] = stage.next(state, batch);
    counts.push(tf.memory().numTensors);
  }
  expect(state.group?.batches).toBe(2);
  expect(counts.slice(10, 15)).toEqual(counts.slice(5, 10)); // groups of 3 and 2, over again
  stage.dispose(state);
  expect(tf.memory().numTensors).toBe(before);
});

test('saved in the middle of a group it is as of its update, from whose position it goes on to the same bits', () => {
  const given = cut([2], 4);
  const begin = () => {
    const repSpectral = spectralRegularizer('rep-spectral', model, { gamma: 0.1, from: { epoch: 1 } });
    repSpectral.ticked = true;
    return trainStage(model, { ...usual, regularizer: repSpectral, accumulate: 3 });
  };
  const run = (stop?: number): Data => {
    let stage = begin();
    let state = stage.start();
    for (let i = 0; i < given.length; i++) {
      [state] = stage.next(state, given[i]!);
      if (i !== stop) continue;
      const saved = structuredClone(stage.save(state));
      stage = begin();
      state = stage.load(saved);
      expect(state.group).toBeUndefined();
      i = given.findIndex(({ position }) => position > state.position) - 1;
      stop = undefined;
    }
    return stage.save(state);
  };
  const straight = run();
  for (let stop = 0; stop < given.length - 1; stop++)
    expect(run(stop), `stopped after batch ${stop}`).toEqual(straight);
});

/** A whole graph: blocks and batches do not meet, three batches make an update, a tick follows each. */
function graph(log: unknown[]): Record<string, Observable<unknown>> {
  const network = mlp([2, 6, 2]);
  const repSpectral = spectralRegularizer('rep-spectral', network, { gamma: 0.05, from: { epoch: 1 } });
  const updates$ = loader(xor({ noise: { perCorner: 10 } }), { epochs: 3, seed: 1, block: 7, capacity: 32 }).pipe(
    augment([], { seed: 1 }),
    batches(6),
    train(network, { ...usual, regularizer: repSpectral, accumulate: 3 }),
  );
  return {
    updates$: updates$.pipe(
      map((update) => {
        log[update.number] = numbersOf(update);
        return { position: update.position };
      }),
    ),
    ticks$: updates$.pipe(spectralTick(repSpectral)),
    last$: updates$.pipe(
      atEnd(),
      map(({ position, number }) => {
        log[100] = { last: number, position };
        return { position };
      }),
    ),
  };
}

test('a run stopped at rest anywhere, also between the batches of an update, ends in the bits of one never stopped', async () => {
  const runs = async (stopAt?: number) => {
    const log: unknown[] = [];
    let saved: FlowState | undefined;
    let inside = false;
    for (;;) {
      let rests = 0;
      const stops = saved === undefined ? stopAt : undefined;
      const flow: Flow = new Flow(graph(log), (at) => {
        if (!at.finished && ++rests !== stops) return;
        const train = at.nodes.find(({ name }) => name === 'train')!;
        inside ||= !at.finished && train.entered - train.held > train.left;
        saved = structuredClone(at.save());
        at.stop();
      });
      if (saved !== undefined) flow.load(saved);
      if ((await flow.start()) === 'done') break;
    }
    return { log, train: saved!.nodes.train, inside };
  };
  const whole = await runs();
  // 40 samples an epoch in batches of 6: three groups, of 18, 18 and 4 samples
  expect(whole.log.slice(1, 10)).toMatchObject(
    [18, 36, 40, 58, 76, 80, 98, 116, 120].map((position) => ({ position })),
  );
  expect(whole.log[100]).toEqual({ last: 9, position: 120 });
  let inside = 0;
  for (let stopAt = 1; stopAt < 32; stopAt++) {
    const stopped = await runs(stopAt);
    if (stopped.inside) inside++;
    expect({ ...stopped, inside: false }, `stopped at rest ${stopAt}`).toEqual(whole);
  }
  expect(inside).toBeGreaterThan(5);
});

test('a stream that ends in the middle of a group makes an update of what there is, and atEnd passes it', async () => {
  const given = cut([2], 2).slice(0, 7);
  const numbers = (updates$: Observable<Update>) =>
    lastValueFrom(
      updates$.pipe(
        map(({ number }) => number),
        toArray(),
      ),
    );
  const operator = () => train(model, { ...usual, accumulate: 2 });
  expect(await numbers(from(given).pipe(operator()))).toEqual([0, 1, 2, 3, 4]);
  expect(await numbers(from(given).pipe(operator(), atEnd()))).toEqual([4]);
  expect(await numbers(from(given.slice(0, 5)).pipe(operator()))).toEqual([0, 1, 2, 3]); // nothing was left
});

test('a number that counts no batches, and a loss that compares the samples of a batch, are refused', () => {
  for (const accumulate of [0, -1, 1.5, Number.NaN]) {
    expect(() => trainStage(model, { ...usual, accumulate })).toThrow(`an update of ${accumulate} batches`);
  }
  for (const loss of [barlowTwins(), ntXent()]) {
    expect(() => trainStage(model, { ...usual, loss, accumulate: 2 })).toThrow(
      expect.objectContaining({
        name: 'WeirError',
        message: expect.stringContaining(
          `loss '${loss.name}' compares the samples of a batch with each other: 2 small batches do not give the gradient of a large one`,
        ),
      }),
    );
    expect(() => trainStage(model, { ...usual, loss, accumulate: 1 })).not.toThrow();
  }
});

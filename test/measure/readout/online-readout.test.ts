import { beforeAll, expect, test } from 'vitest';
import { augment } from '../../../src/data/augment/augment.js';
import { batch } from '../../../src/data/batch.js';
import { xor } from '../../../src/data/datasets/synthetic.js';
import { loader } from '../../../src/data/loader.js';
import { Flow } from '../../../src/flow/flow.js';
import { every } from '../../../src/flow/schedule.js';
import { type Step, stage } from '../../../src/flow/stage.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { train } from '../../../src/learn/train.js';
import { onlineReadout } from '../../../src/measure/readout/online-readout.js';
import { readout } from '../../../src/measure/readout/readout.js';
import type { OnlineReadout } from '../../../src/measure/readout/record.js';
import { wilson } from '../../../src/plot/statistics.js';
import { logStage } from '../../../src/storage/log-stage.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { updateOf } from '../attack/models.js';
import { stoppedAndGoneOn } from './stopped.js';

test.each([
  [81, 263, 0.2553, 0.3662], // Newcombe 1998, table I
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('%i of %i', (correct, of, lower, upper) => {
  const found = wilson(correct / of, of);
  expect(found.lower).toBeCloseTo(lower, 4);
  expect(found.upper).toBeCloseTo(upper, 4);
  const other = wilson(1 - correct / of, of);
  expect(other.lower).toBeCloseTo(1 - upper, 4);
  expect(other.upper).toBeLessThanOrEqual(1);
});

beforeAll(() => loadTensorFlow());

const model = mlp([2, 8, 2]);
const points = xor({ noise: {}, seed: 1 });
const options = { batch: 30, fit: 'converged', gradientTolerance: 1e-8 } as const;

/** A network whose readout is fitted anew after every second epoch; `readouts$` is the same by the stage that hands the network on. */
function graph(log: unknown[]) {
  const updates$ = loader(points, { epochs: 4, seed: 0 }).pipe(
    augment([], { seed: 0 }),
    batch(40),
    train(model, { loss: crossEntropy(), optimizer: sgd({ rate: 1, momentum: 0.9 }), seed: 2 }),
  );
  const write = (record: unknown): void => void log.push(structuredClone(record));
  const often$ = updates$.pipe(every({ epochs: 2 }));
  return {
    updates$,
    tests$: often$.pipe(onlineReadout(model, points, points, options), stage(logStage('net', 'tests', write))),
    readouts$: often$.pipe(readout(model, points, points, options), stage(logStage('net', 'readouts', write))),
  };
}

test('the accuracy of a readout fitted anew, with its interval and beside that of the untrained network', async () => {
  const log: Record<string, unknown>[] = [];
  await new Flow(graph(log)).start();
  const of = (stream: string) => log.filter((line) => line.stream === stream);
  const tests = of('tests');
  expect(tests.map(({ epoch }) => epoch)).toEqual([0, 2, 4]);
  expect(tests.map(({ accuracy, loss }) => ({ accuracy, loss }))).toEqual(
    of('readouts').map(({ accuracy, loss }) => ({ accuracy, loss })),
  );
  const untrained = { accuracy: tests[0]!.accuracy, lower: tests[0]!.lower, upper: tests[0]!.upper };
  for (const line of tests) {
    const interval = wilson(line.accuracy as number, points.size);
    expect(line).toMatchObject({ ...interval, untrained, images: points.size, converged: true });
  }
});

test('stopped at any rest it goes on to the same records; no tensor is left', async () => {
  const whole: unknown[] = [];
  let rests = 0;
  await new Flow(graph(whole), () => void rests++).start();
  const before = tf.memory().numTensors;
  for (let at = 0; at < rests - 1; at += 7) {
    const log: unknown[] = [];
    await stoppedAndGoneOn(() => graph(log), at);
    expect(log, `stopped at rest ${at}`).toEqual(whole);
  }
  expect(tf.memory().numTensors).toBe(before);
});

test('it is fitted on the first samples alone where so many are asked for', () => {
  const weights = model.start(3);
  const measured = (samples = points, images?: number) => {
    const one = onlineReadout(model, samples, points, { ...options, ...(images !== undefined && { images }) });
    return [...(one.next(one.start(), updateOf(weights)) as Iterable<Step<unknown, OnlineReadout>>)].at(-1)![1]!;
  };
  const few = { ...points, size: 60, labels: points.labels.subarray(0, 60), values: points.values.subarray(0, 120) };
  expect(measured(points, 60)).toEqual(measured(few));
  expect(measured(points, 60)).toMatchObject({ images: 60, untrained: null });
  expect(measured(points, 60).loss).not.toBe(measured().loss);
  expect(() => measured(points, 40)).toThrow('not one of the 40 samples of a readout is of class 1');
});

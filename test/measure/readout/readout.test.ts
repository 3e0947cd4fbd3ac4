import { beforeAll, describe, expect, test } from 'vitest';
import { augment } from '../../../src/data/augment/augment.js';
import { batch } from '../../../src/data/batch.js';
import { xor } from '../../../src/data/datasets/synthetic.js';
import { loader } from '../../../src/data/loader.js';
import { Flow } from '../../../src/flow/flow.js';
import { atEnd } from '../../../src/flow/schedule.js';
import { type Step, stage } from '../../../src/flow/stage.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { readoutWeights } from '../../../src/learn/model/head.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { train } from '../../../src/learn/train.js';
import { tangentAttack } from '../../../src/measure/attack/tangent-attack.js';
import { type ReadoutState, type Refitted, readout } from '../../../src/measure/readout/readout.js';
import { logStage } from '../../../src/storage/log-stage.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { updateOf } from '../attack/models.js';
import { stoppedAndGoneOn } from './stopped.js';

beforeAll(() => loadTensorFlow());

const model = mlp([2, 8, 2]);
const points = xor({ noise: {}, seed: 1 });
const options = { batch: 30, fit: 'converged', gradientTolerance: 1e-8 } as const;

type Nodes = Record<string, { readonly state: { readonly phase: string } }>;

/** A trained network whose refitted readout is attacked. */
function graph(log: unknown[]) {
  const updates$ = loader(points, { epochs: 3, seed: 0 }).pipe(
    augment([], { seed: 0 }),
    batch(40),
    train(model, { loss: crossEntropy(), optimizer: sgd({ rate: 1, momentum: 0.9 }), seed: 2 }),
  );
  const readouts$ = updates$.pipe(atEnd(), readout(model, points, points, options));
  const attack = { samples: 3, seed: 0, iterations: 2, group: 2, box: { min: -2, max: 2 }, choose: 'all' } as const;
  const readoutAttacks$ = readouts$.pipe(tangentAttack(model, points, attack));
  const write = (record: unknown): void => void log.push(structuredClone(record));
  return {
    updates$,
    readouts$: readouts$.pipe(stage(logStage('net', 'readouts', write))),
    readoutAttacks$: readoutAttacks$.pipe(stage(logStage('net', 'readoutAttacks', write))),
  };
}

test('stopped at any rest, in the fit or in the attack on it, a run ends as one that never was; no tensor is left', async () => {
  const whole: unknown[] = [];
  const rests: string[] = [];
  const first: Flow = new Flow(graph(whole), (flow) => {
    const { readout, 'tangent attack': attack } = flow.save().nodes as unknown as Nodes;
    rests.push(`${readout!.state.phase} ${attack!.state.phase}`);
  });
  await first.start();
  expect(whole).toHaveLength(4);
  expect(whole[0]).toMatchObject({ stream: 'readouts', number: 6, converged: true });
  expect(rests).toEqual(expect.arrayContaining(['rest rest', 'fit rest', 'fitted choose', 'fitted attack']));

  const before = tf.memory().numTensors;
  for (let at = rests.indexOf('fit rest') - 1; at < rests.length - 1; at++) {
    const log: unknown[] = [];
    await stoppedAndGoneOn(() => graph(log), at);
    expect(log, `stopped at rest ${at}: ${rests[at]}`).toEqual(whole);
  }
  expect(tf.memory().numTensors).toBe(before);
});

describe('by itself', () => {
  const last = (steps: Iterable<readonly [unknown, Refitted?]>): Refitted => [...steps].at(-1)![1]!;
  const fitOn = (weights: ReturnType<typeof model.start>, samples = points): Refitted => {
    const one = readout(model, samples, points, options);
    return last(one.next(one.start(), updateOf(weights)) as Iterable<readonly [unknown, Refitted?]>);
  };

  test('the network handed on has the features of the old one and logits of its own, and no update in between is changed', () => {
    const weights = model.start(3);
    const found = fitOn(weights);
    expect(found.weights.get('hidden1/kernel')).toBe(weights.get('hidden1/kernel'));
    expect(found.weights.get('readout/kernel')).not.toBe(weights.get('readout/kernel'));
    expect(found).toMatchObject({ position: 640, number: 10, epoch: 2, converged: true });
    expect(found.accuracy).toBe(found.trainAccuracy);
    expect(found.loss()).toBeCloseTo(found.epochLoss(), 5);
  });

  test("the fit is scikit-learn's unless another is asked for, and each says what it was", () => {
    const weights = model.start(3);
    const of = (more: object): Refitted => {
      const one = readout(model, points, points, { batch: 30, ...more });
      return last(one.next(one.start(), updateOf(weights)) as Iterable<readonly [unknown, Refitted?]>);
    };
    expect(of({})).toMatchObject({ fit: 'scikit-learn', iterationLimit: 100 });
    expect(of({ fit: 'converged' })).toMatchObject({ fit: 'converged', iterationLimit: 10_000, converged: true });
    const cut = { fit: 'converged', gradientTolerance: 1e-12, fitIterations: 1 };
    expect(of(cut)).toMatchObject({ iterations: 1, iterationLimit: 1, converged: false });
    expect(() => of({ fit: 'exact' })).toThrow("there is no fit 'exact' of a readout");
  });

  test('its state holds the weights that were attacked, by their names', () => {
    const one = readout(model, points, points, options);
    const steps = [...(one.next(one.start(), updateOf(model.start(3))) as Iterable<Step<ReadoutState, Refitted>>)];
    const [state, network] = steps.at(-1)!;
    if (state.phase !== 'fitted') throw new Error('it is not fitted');
    expect(state.weights.map(({ name }) => name)).toEqual(['readout/kernel', 'readout/bias']);
    for (const { name, values } of state.weights) expect(network!.weights.get(name)!.dataSync()).toEqual(values);
  });

  test("the model's factor on its logits is divided out", () => {
    const weights = model.start(3);
    const coefficients = Float64Array.from({ length: 16 }, (_, i) => Math.sin(i));
    const intercepts = Float64Array.of(0.3, -0.3);
    const own = readoutWeights(model, { coefficients, intercepts });
    const x = tf.tensor2d([1, -0.5, 0.2, 0.9], [2, 2]);
    const features = model.features(weights, x).dataSync();
    const logits = model.logits(new Map([...weights, ...own]), x).dataSync();
    for (const [i, k] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const) {
      let wanted = intercepts[k]!;
      for (let j = 0; j < 8; j++) wanted += features[8 * i + j]! * coefficients[8 * k + j]!;
      expect(logits[2 * i + k]).toBeCloseTo(wanted, 5);
    }
  });

  test('a sample whose features are not finite is named; labels are looked at when the graph is wired', () => {
    const values = Float32Array.from(points.values);
    values[2 * 37] = 3e38;
    const large = new Map([...model.start(3)].map(([name, w]) => [name, tf.mul(w, 1e3)]));
    expect(() => fitOn(large, { ...points, values })).toThrow('the features of sample 37 are not finite');
    values[2 * 37] = Number.NaN;
    expect(() => readout(model, { ...points, values: values.slice() }, points)).toThrow('sample 37 of data set');
    const labels = Uint8Array.from(points.labels).fill(0);
    expect(() => readout(model, { ...points, labels }, points)).toThrow('is of class 1');
  });
});

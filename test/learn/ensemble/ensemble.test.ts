import { beforeAll, describe, expect, test } from 'vitest';
import { xor, xorOfEach } from '../../../src/data/datasets/synthetic.js';
import { keyed } from '../../../src/flow/random.js';
import {
  type Ensemble,
  type EnsembleMember,
  type EnsembleUpdate,
  ensemble,
  layoutOf,
} from '../../../src/learn/ensemble/ensemble.js';
import { memberNorms } from '../../../src/learn/ensemble/members.js';
import { ensembleRegularizer, ensembleTick } from '../../../src/learn/ensemble/regularizer.js';
import { ensembleUpdate, portableUpdate } from '../../../src/learn/ensemble/step.js';
import { ensembleStage } from '../../../src/learn/ensemble/train.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { type SpectralKind, spectralKinds, spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../../src/learn/spectral/stages.js';
import { trainStage } from '../../../src/learn/train.js';
import { hasFused } from '../../../src/tensorflow/ops/fused.js';
import { singularValues } from '../../../src/tensorflow/ops/spectral.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

beforeAll(() => loadTensorFlow());

const settings = { rate: 1, momentum: 0.9, decay: 1e-4 };
const gamma = 0.02;
const burnIn = 20;
const noise = { perCorner: 3, std: 0.3 };

const members = (kinds: readonly SpectralKind[], seeds: readonly number[]): EnsembleMember[] =>
  seeds.flatMap((seed) => kinds.map((regularizer) => ({ name: `${regularizer}-s${seed}`, seed, regularizer })));

/** Trains on noisy XOR of each member's own seed, an epoch in one or more batches, a tick after every update. */
function trained(networks: Ensemble, epochs: number, batches = 1): { rows: Float32Array; update: EnsembleUpdate } {
  const data = xorOfEach(
    networks.members.map(({ seed }) => seed),
    noise,
  );
  const regularizer = ensembleRegularizer(networks, { gamma, from: { epoch: burnIn } });
  const tick = ensembleTick(networks, regularizer);
  const stage = ensembleStage(networks, { sgd: settings, regularizer });
  let state = stage.start();
  let last = stage.repeat(state);
  const n = data.size / batches;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let b = 0; b < batches; b++) {
      tick.next(null, last);
      const [from, to] = [b * n, (b + 1) * n];
      [state, last] = stage.next(state, {
        position: (epoch - 1) * data.size + to,
        epoch,
        remaining: data.size - to,
        sampleShape: data.sampleShape,
        values: (data.values as Float32Array).slice(
          from * 2 * networks.members.length,
          to * 2 * networks.members.length,
        ),
        labels: data.labels.slice(from, to),
      });
    }
  }
  const rows = networks.rows(state.weights).slice();
  const [losses, accuracies] = [last.epochLoss(), last.epochAccuracy()];
  const each = networks.members.map((_, m) => last.of(m).epochLoss());
  stage.dispose(state);
  return {
    rows,
    update: {
      ...last,
      epochLoss: () => losses,
      epochAccuracy: () => accuracies,
      of: (m) => ({ ...last.of(m), epochLoss: () => each[m]! }),
    },
  };
}

describe('a member', () => {
  test.each([
    ['full batch', 1],
    ['three batches an epoch', 3],
  ])('ends in the bits that it would have alone (%s)', (_, batches) => {
    const all = ensemble([2, 5, 2], members(spectralKinds, [3, 4, 5]));
    const { rows } = trained(all, 40, batches);
    for (const [m, member] of all.members.entries()) {
      const alone = trained(ensemble([2, 5, 2], [member]), 40, batches);
      expect([...alone.rows], member.name).toEqual([...rows.subarray(m * 27, (m + 1) * 27)]);
    }
    expect(new Set(all.members.map((_, m) => rows[m * 27])).size).toBe(all.members.length);
  });

  test.each(spectralKinds)('is the network that mlp, sgd and spectralRegularizer train: %s', (kind) => {
    const sizes = [2, 6, 3, 2];
    const networks = ensemble(sizes, members([kind], [7]));
    const { rows, update } = trained(networks, 60);

    const model = mlp(sizes);
    const data = xor({ seed: 7, noise });
    const regularizer = spectralRegularizer(kind, model, { gamma, from: { epoch: burnIn }, seed: 7 });
    const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd(settings), regularizer, seed: 7 });
    const tick = spectralTick(regularizer);
    let state = stage.start();
    for (let epoch = 1; epoch <= 60; epoch++) {
      tick.next(null, stage.repeat(state));
      [state] = stage.next(state, {
        position: 12 * epoch,
        epoch,
        remaining: 0,
        sampleShape: [2],
        values: Float32Array.from(data.values),
        labels: Uint8Array.from(data.labels),
      });
    }
    const wanted = [...state.weights.values()].flatMap((tensor) => [...tensor.dataSync()]);
    const largest = Math.max(...wanted.map(Math.abs));
    expect(wanted.length).toBe(rows.length);
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - rows[i]!)))).toBeLessThan(2e-3 * largest);
    expect(update.of(0).epochLoss()!).toBeCloseTo(stage.repeat(state).epochLoss()!, 4);
    stage.dispose(state);
  });
});

test('the operation and its fallback make the same of any network (needs the native kernels)', ({ skip }) => {
  if (!hasFused()) skip();
  const random = keyed(1, 'test');
  const draw = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
  const layout = layoutOf([3, 9, 4, 5]);
  const [count, n] = [3, 11];
  const given = {
    x: draw(n * count * 3),
    labels: Uint8Array.from({ length: n }, (_, i) => i % 5),
    gammas: draw(count * 3).map((x, i) => (i % 2 === 0 ? Math.abs(x) : 0)),
    directions: draw(count * layout.inputs),
    rate: 0.1,
    momentum: 0.9,
    decay: 0.01,
    fresh: false,
  };
  const [members, velocity, sums] = [draw(count * layout.parameters), draw(count * layout.parameters), draw(9)];
  const tensors = {
    members: tf.tensor2d(members, [count, layout.parameters]),
    velocity: tf.tensor2d(velocity, [count, layout.parameters]),
    sums: tf.tensor2d(sums, [count, 3]),
  };
  const found = ensembleUpdate(layout, { ...given, ...tensors });
  const wanted = portableUpdate(layout, { ...given, members, velocity, sums });
  for (const key of ['members', 'velocity', 'sums'] as const) {
    const values = found[key].dataSync();
    wanted[key].forEach((value, i) => {
      expect(Math.abs(values[i]! - value), `${key} ${i}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
    });
  }
  tf.dispose([...Object.values(tensors), ...Object.values(found)]);
});

test('σ of every member is that of the network by itself', () => {
  const networks = ensemble([2, 6, 3], members(['none'], [1, 2]));
  const weights = networks.start();
  const update = { position: 0, number: 0, epoch: 0, endsEpoch: true, weights } as unknown as EnsembleUpdate;
  const stage = memberNorms(networks);
  const said = [...(stage.next(0, update) as Iterable<readonly [number, { network: string; sigma: object }]>)];
  for (const [m, { name }] of networks.members.entries()) {
    const alone = networks.alone(weights, m);
    const wanted = ['hidden1', 'readout'].map((layer) => [
      layer,
      expect.closeTo(singularValues(alone.get(`${layer}/kernel`)!).dataSync()[0]!, 6),
    ]);
    expect(said[m]![1]).toMatchObject({ network: name, sigma: Object.fromEntries(wanted) });
    tf.dispose([...alone.values()]);
  }
  tf.dispose([...weights.values()]);
});

test('what is wrong is named: a diverged member with its update, samples of another shape, a name given twice', () => {
  const networks = ensemble([2, 3, 2], members(['none'], [1, 2]));
  const stage = ensembleStage(networks, { sgd: { rate: 1 } });
  const batch = (values: number[]) => ({
    position: 1,
    epoch: 1,
    remaining: 0,
    sampleShape: [values.length / 2, 2],
    values: Float32Array.from(values),
    labels: Uint8Array.of(0),
  });
  const [state, update] = stage.next(stage.start(), batch([1, 1, Number.NaN, 1]));
  expect(() => update.loss()).toThrow("training diverged: the loss of 'none-s2' is NaN at update 1");
  expect(() => stage.save!(state)).toThrow("'none-s2'");
  expect(() => stage.next(state, batch([1, 1]))).toThrow('2 × mlp 2-3-2 gelu was given samples of shape [1, 2]');
  stage.dispose(state);
  expect(() => ensemble([2, 3, 2], members(['none', 'none'], [1]))).toThrow("two members 'none-s1'");
  expect(() => ensembleStage(networks, { sgd: { rate: Number.NaN } })).toThrow(
    "'sgd of trainEnsemble' was given rate = NaN",
  );
  expect(() => ensembleStage(networks, { sgd: { rate: 1, momentum: -1 } })).toThrow('was given momentum = -1');
});

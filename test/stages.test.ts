import { describe, test } from 'vitest';
import { xor, xorOfEach } from '../src/data/datasets/synthetic.js';
import type { Positioned } from '../src/flow/data.js';
import type { Stage } from '../src/flow/stage.js';
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
import { sensitivity } from '../src/measure/geometry/sensitivity.js';
import { eachMember } from '../src/measure/member.js';
import { onlineReadout } from '../src/measure/readout/online-readout.js';
import { readout } from '../src/measure/readout/readout.js';
import { tracking } from '../src/measure/tracking/tracking.js';
import { keepBest, type Measured, stopEarly } from '../src/run/best.js';
import { updatesFor } from '../src/run/testing/part-test.js';
import { stageTests } from '../src/run/testing/stage-tests.js';
import { logStage } from '../src/storage/log-stage.js';

const points = xor();

const updates = (): Update[] => updatesFor(mlp([2, 4, 2]));

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
  sensitivity: { make: () => sensitivity(mlp([2, 4, 2]), { centers: [[1, 1]], resolution: 50 }), items: updates },
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

describe.each(Object.entries(rows))('%s', (_, row) => {
  for (const { name, run } of stageTests(row)) test(name, run);
});

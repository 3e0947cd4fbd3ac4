import { everything, ownCount, ownIndex } from '../../../src/data/loader.js';
import { sizeOf } from '../../../src/flow/data.js';
import { keyed } from '../../../src/flow/random.js';
import { projectedGradient } from '../../../src/learn/adversary.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import { barlowTwins } from '../../../src/learn/loss/views.js';
import { projected } from '../../../src/learn/model/head.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { adamw } from '../../../src/learn/optimizer/adam.js';
import { clipByNorm, ema } from '../../../src/learn/optimizer/composed.js';
import { muon } from '../../../src/learn/optimizer/muon.js';
import type { Optimizer } from '../../../src/learn/optimizer/optimizer.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../../src/learn/spectral/stages.js';
import { type Batch, trainStage } from '../../../src/learn/train.js';
import type { Update } from '../../../src/learn/update.js';
import { processGroup } from '../../../src/tensorflow/collectives/process-group.js';

/** What came out of a training. */
export interface Trained {
  readonly loss: number;
  readonly accuracy: number;
  /** How far each weight has gone. */
  readonly moved: readonly number[];
  readonly sigma: Readonly<Record<string, number>>;
}

const small = { classes: 4, inputSize: [16, 16], width: 4 } as const;
const models = {
  mlp: () => mlp([12, 16, 4]),
  accumulated: () => mlp([12, 16, 4]),
  adversarial: () => mlp([12, 16, 4]),
  composed: () => mlp([12, 16, 4]),
  muon: () => mlp([12, 16, 4]),
  resnet: () => resnet({ depth: 18, ...small }),
  barlow: () => projected(resnet({ depth: 18, ...small }), { hidden: [8], outputs: 6 }),
};
export type Kind = keyof typeof models;

const others = () => adamw({ rate: 0.01 });
const optimizerOf = (kind: Kind, rate: number): Optimizer => {
  if (kind === 'composed') return ema(0.9, clipByNorm(0.008, others())); // seven of ten updates are clipped
  return kind === 'muon' ? muon({ rate: 0.02, others: others() }) : sgd({ rate, momentum: 0.9 });
};

/** Trains as one rank of those that this process belongs to, on batches of which the last is a short one. */
export function trained(kind: Kind, updates: number): Trained {
  const isMlp = ['mlp', 'accumulated', 'adversarial', 'composed', 'muon'].includes(kind);
  const model = models[kind]();
  const regularizer = spectralRegularizer('rep-spectral', model, { gamma: 0.01 });
  const stage = trainStage(model, {
    loss: kind === 'barlow' ? barlowTwins() : crossEntropy(),
    optimizer: optimizerOf(kind, isMlp ? 0.1 : 0.02),
    regularizer,
    ...(kind === 'accumulated' && { accumulate: 2 }),
    ...(kind === 'adversarial' && { adversary: projectedGradient({ epsilon: 0.5, box: { min: -9, max: 9 } }) }),
    seed: 3,
  });
  const tick = spectralTick(regularizer);
  let state = stage.start();
  const begun = new Map([...state.weights].map(([name, tensor]) => [name, tensor.dataSync().slice()]));
  for (let number = 1; number <= updates; number++) {
    const isLast = number === updates;
    const samples = isLast && isMlp ? 3 : 16; // three among four ranks: one has none
    const data = batch(number, samples, isMlp ? [12] : [16, 16, 3], kind === 'barlow' ? 2 : 1);
    const next = stage.next(state, { ...data, remaining: isLast ? 0 : 16 });
    const [after, update] = next as readonly [typeof state, Update?];
    state = after;
    if (update === undefined) continue;
    [...(tick.next(null, update) as Iterable<unknown>)];
  }
  const { epochLoss, epochAccuracy } = stage.repeat(state);
  const moved = [...state.weights].flatMap(([name, tensor]) =>
    Array.from(tensor.dataSync(), (w, i) => w - begun.get(name)![i]!),
  );
  const sigma = Object.fromEntries(Object.entries(regularizer.newest ?? {}).map(([name, one]) => [name, one.sigma]));
  return { loss: epochLoss() ?? Number.NaN, accuracy: epochAccuracy() ?? Number.NaN, moved, sigma };
}

/** The rank's share of the batch with that number. */
function batch(number: number, samples: number, size: readonly number[], views: number): Omit<Batch, 'remaining'> {
  const { rank, ranks: of } = processGroup();
  const share = of > 1 ? { rank, ranks: of } : everything;
  const length = views * sizeOf(size);
  const own = Array.from({ length: ownCount(share, samples) }, (_, k) => ownIndex(share, k));
  const values = new Float32Array(own.length * length);
  for (const [i, sample] of own.entries()) {
    const random = keyed(1, 'sample', number, sample);
    for (let j = 0; j < length; j++) values[i * length + j] = random.normal();
  }
  return {
    position: number * 16,
    epoch: 1,
    sampleShape: [...(views > 1 ? [views] : []), ...size],
    values,
    labels: Uint8Array.from(own, (sample) => sample % 4),
    indices: own,
    ...(of > 1 && { shared: samples }),
  };
}

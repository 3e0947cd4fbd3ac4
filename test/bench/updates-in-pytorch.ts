import { join } from 'node:path';
import { sizeOf } from '../../src/flow/data.js';
import { keyed } from '../../src/flow/random.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { type Model, uniform, type Weights } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { adam, adamw } from '../../src/learn/optimizer/adam.js';
import { clipByNorm, ema } from '../../src/learn/optimizer/composed.js';
import { lars } from '../../src/learn/optimizer/lars.js';
import { muon } from '../../src/learn/optimizer/muon.js';
import type { Optimizer } from '../../src/learn/optimizer/optimizer.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../src/learn/train.js';
import { inTorch } from '../../src/learn/weights/pretrained.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/learn/weights/safetensors.js';
import { savedTensors } from '../../src/learn/weights/saved-tensors.js';
import { besidePyTorch, type FilesPeer } from './compare.js';

/** A training on both sides: the same first weights and batches. */
interface Pair {
  readonly model: Model;
  /** What peers/networks.py makes it of. */
  readonly there: object;
  readonly updates: number;
  readonly samples: number;
  /** The updates whose weights are compared. */
  readonly report: readonly number[];
}

const dense: Pair = {
  model: mlp([784, 128, 64, 10], { activation: 'gelu', scale: 'none', initialization: uniform() }),
  there: { sizes: [784, 128, 64, 10], scale: 'none', activation: 'gelu' },
  updates: 50,
  samples: 64,
  report: [50],
};

const residual: Pair = {
  model: resnet({ depth: 18, stem: 'cifar', padding: 'zero', classes: 10, inputSize: [32, 32] }),
  there: { depth: 18, stem: 'cifar', padding: 'zeros', classes: 10 },
  updates: 5,
  samples: 16,
  report: [1, 2, 3, 4, 5],
};

/** An optimizer on both sides. */
type Row = readonly [name: string, ours: Optimizer, there: object];

const decayed = { lr: 0.002, weight_decay: 0.1 };
const matrices = { kind: 'muon', lr: 0.02, weight_decay: 0.1, others: { kind: 'adamw', ...decayed } };
const muonOfAdamw = muon({ rate: 0.02, others: adamw({ rate: 0.002, decay: 0.1 }) });

const rows: readonly Row[] = [
  ['sgd', sgd({ rate: 0.1, momentum: 0.9, decay: 5e-4 }), { kind: 'sgd', lr: 0.1, momentum: 0.9, weight_decay: 5e-4 }],
  [
    'sgd nesterov',
    sgd({ rate: 0.05, momentum: 0.9, nesterov: true }),
    { kind: 'sgd', lr: 0.05, momentum: 0.9, nesterov: true },
  ],
  ['adam', adam({ rate: 0.002, decay: 1e-3 }), { kind: 'adam', lr: 0.002, weight_decay: 1e-3 }],
  ['adamw', adamw({ rate: 0.002, decay: 0.1 }), { kind: 'adamw', ...decayed }],
  [
    'ema of clipped adamw',
    ema(0.9, clipByNorm(0.3, adamw({ rate: 0.002, decay: 0.1 }))),
    { kind: 'adamw', ...decayed, clip: 0.3, ema: 0.9 },
  ],
  [
    'lars',
    lars({ rate: 1, decay: 0.01, trust: 0.02 }),
    { kind: 'lars', lr: 1, momentum: 0.9, weight_decay: 0.01, trust_coeff: 0.02 },
  ],
  ['muon', muonOfAdamw, { ...matrices, exact: true }],
  ['muon, PyTorch in bfloat16', muonOfAdamw, matrices],
];

/** The rates of pipelines/cifar10-resnet18.ts, and one for AdamW. */
const residualRows: readonly Row[] = [
  [
    'sgd',
    sgd({ rate: 0.01, momentum: 0.9, decay: 1e-4 }),
    { kind: 'sgd', lr: 0.01, momentum: 0.9, weight_decay: 1e-4 },
  ],
  ['adamw', adamw({ rate: 0.001, decay: 0.1 }), { kind: 'adamw', lr: 0.001, weight_decay: 0.1 }],
];

/**
 * Trainings of the same first weights on the same batches, here and in PyTorch. The measure of weights is the largest difference as a part of
 * the largest way that a weight of its tensor has come, of the worst tensor; of running statistics as a part of the largest statistic; of
 * losses as a part of the loss. 'Of the largest' is the same as a part of the largest weight, and 'by norm' the difference of a whole tensor as
 * a part of its way. The reference is PyTorch in float64; PyTorch in float32 stands beside, for what rounding alone does.
 *
 * The target is that of the MLP, after 50 updates by every optimizer. ResNet-18's first updates are printed, without a target. With an
 * argument 'mlp' or 'resnet18' one of them alone is trained.
 */
export function bench(options: readonly string[]): Promise<boolean> {
  const note = ", float64; in brackets PyTorch's float32";
  return besidePyTorch('updates-in-pytorch', { reach: 1e-4, threads: 1, note }, async (peer) => {
    const found: number[] = [];
    for (const row of options.includes('resnet18') ? [] : rows) {
      const worst = Math.max(...(await beside(dense, row, peer)));
      if (!row[0].includes('bfloat16')) found.push(worst);
    }
    for (const row of options.includes('mlp') ? [] : residualRows) await beside(residual, row, peer);
    return found;
  });
}

/** What became of a network: losses by update, and its tensors by the update and their names in PyTorch. */
interface Trained {
  readonly losses: readonly number[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Trains on both sides, and prints a line for each update reported. @returns the largest differences of weights, by line */
async function beside(pair: Pair, [name, optimizer, there]: Row, { python, folder }: FilesPeer): Promise<number[]> {
  const [weights, batches] = [join(folder, 'weights.safetensors'), join(folder, 'batches.safetensors')];
  const { model, updates, samples, report } = pair;
  const start = model.start(0);
  const first = inTorch(savedTensors(start));
  for (const tensor of start.values()) tensor.dispose();
  writeSafetensors(weights, first, { format: 'pt' });
  const { x, labels } = batchesOf(pair);
  const shape = [updates, samples, ...model.inputShape];
  const written = { x: { shape, values: x }, labels: { shape: [updates, samples], values: labels } };
  writeSafetensors(batches, new Map(Object.entries(written)));
  const inPython = async (precision: string): Promise<Trained> => {
    const out = join(folder, `${precision}.safetensors`);
    const task = { network: pair.there, weights, batches, optimizer: there, precision, report, out };
    const { losses } = await python.ask(JSON.stringify(task));
    return { losses: losses as number[], tensors: readSafetensors(out) };
  };
  const exact = await inPython('float64');
  const [ours, theirs] = [trained(pair, optimizer, x, labels), await inPython('float32')];
  return report.map((update) => {
    const [own, rounding] = [ours, theirs].map((side) => differences(side, exact, first, update));
    const parts = Object.entries(own!).map(
      ([what, value]) => `${what} ${value.toExponential(1)} (${rounding![what]!.toExponential(1)})`,
    );
    console.log(`${model.name}, ${name}, update ${update}: ${parts.join(', ')}`);
    return Math.max(own!.weights!, own!.averages ?? 0);
  });
}

/** The differences of one side from the reference after an update, by what is compared. */
function differences(
  side: Trained,
  exact: Trained,
  first: ReadonlyMap<string, StoredTensor>,
  update: number,
): Record<string, number> {
  const losses = side.losses.slice(0, update).map((loss, i) => Math.abs(loss / exact.losses[i]! - 1));
  const found: Record<string, number> = { losses: Math.max(...losses) };
  const note = (what: string, off: number): void => {
    found[what] = Math.max(found[what] ?? 0, off);
  };
  for (const [name, { values: from }] of first) {
    const of = (kind: string): readonly (Float32Array | undefined)[] =>
      [side, exact].map(({ tensors }) => tensors.get(`${update}.${kind}${name}`)?.values);
    const [ours, theirs] = of('') as [Float32Array, Float32Array];
    if (name.includes('running')) {
      note('statistics', apart(ours, theirs));
      continue;
    }
    note('weights', apart(ours, theirs, from));
    note('of the largest', apart(ours, theirs));
    note('by norm', norm(ours, theirs) / norm(theirs, from));
    const [own, averages] = of('average.');
    if (own && averages) note('averages', apart(own, averages, from));
  }
  return found;
}

/** The largest difference, as a part of the largest distance from where it began, or from 0. */
function apart(ours: Float32Array, theirs: Float32Array, from?: Float32Array): number {
  let [off, whole] = [0, 0];
  for (const [i, value] of theirs.entries()) {
    off = Math.max(off, Math.abs(ours[i]! - value));
    whole = Math.max(whole, Math.abs(value - (from?.[i] ?? 0)));
  }
  return off / whole;
}

/** The norm of a difference. */
const norm = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));

/** Our side of a training. */
function trained(pair: Pair, optimizer: Optimizer, x: Float32Array, labels: Float32Array): Trained {
  const { model, updates, samples, report } = pair;
  const stage = trainStage(model, { loss: crossEntropy(), optimizer, seed: 0 });
  const size = samples * sizeOf(model.inputShape);
  const losses: number[] = [];
  const tensors = new Map<string, StoredTensor>();
  const note = (prefix: string, weights: Weights): void => {
    for (const [name, tensor] of inTorch(savedTensors(weights))) tensors.set(prefix + name, tensor);
  };
  let state = stage.start();
  for (let number = 1; number <= updates; number++) {
    const [next, update] = stage.next(state, {
      position: number * samples,
      epoch: 1,
      remaining: 1,
      sampleShape: model.inputShape,
      values: x.slice((number - 1) * size, number * size),
      labels: Uint8Array.from(labels.slice((number - 1) * samples, number * samples)),
    });
    state = next;
    losses.push(update.loss());
    if (!report.includes(number)) continue;
    note(`${number}.`, update.weights);
    if (update.averages) note(`${number}.average.`, update.averages);
  }
  stage.dispose(state);
  return { losses, tensors };
}

/** Made-up samples, a level for each class, so that there is something to learn. */
function batchesOf({ model, updates, samples }: Pair): Record<'x' | 'labels', Float32Array> {
  const random = keyed(0, 'bench/updates');
  const length = sizeOf(model.inputShape);
  const labels = Float32Array.from({ length: updates * samples }, () => random.integer(10));
  const x = Float32Array.from(
    { length: updates * samples * length },
    (_, i) => random.normal() + (labels[Math.floor(i / length)]! - 4.5) / 10,
  );
  return { x, labels };
}

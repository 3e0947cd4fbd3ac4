import { sizeOf } from '../../../src/flow/data.js';
import type { AttackedSample } from '../../../src/measure/attack/attacked.js';
import type { Certificate } from '../../../src/measure/certificate/record.js';
import type { Geometry } from '../../../src/measure/geometry/record.js';
import type { NetworkReport } from '../../../src/measure/networks/record.js';
import { transferred } from '../../../src/plot/style.js';
import { network } from '../example.js';
import { attacked, counterRandom, falling, GAIN, type Method, sigma } from './parts.js';

/** MNIST or CIFAR-10: accuracies, many distances with bounds, a readout fitted anew. */
export function imageNetwork(pipeline: string, regularizer: Method, seed: number, n: number): NetworkReport {
  const random = counterRandom(`${pipeline} ${regularizer} ${seed}`);
  const mnist = pipeline.startsWith('mnist');
  const scale = mnist ? 1.4 : 0.35;
  const distances = Array.from(
    { length: n },
    () => scale * (1 + 2 * GAIN[regularizer]) * Math.exp(0.45 * random.normal()),
  );
  const shape = mnist ? [28, 28] : [32, 32, 3];
  const samples = distances.map((distance, index) => {
    const more = index < 6 ? pixels(shape, distance, index, regularizer) : {};
    return { ...attacked(index, index % 10, distance, mnist ? 0.25 : 0.002), ...more };
  });
  const accuracy = (mnist ? 0.978 : 0.93) + 0.02 * GAIN[regularizer] + 0.0012 * random.normal();
  const layers = mnist
    ? ['hidden1', 'readout']
    : Array.from({ length: 21 }, (_, i) => (i === 20 ? 'readout' : `conv${i + 1}`));
  return network(regularizer, seed, [], {
    pipeline,
    sampleShape: shape,
    testAccuracy: accuracy,
    epochs: 200,
    burnIn: regularizer === 'none' ? null : 160,
    classes: mnist
      ? [...'0123456789']
      : ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    attack: { iterations: 40, samples },
    readout: {
      accuracy: accuracy - 0.004,
      trainAccuracy: 0.999,
      converged: seed !== 1,
      fit: 'scikit-learn',
      iterations: seed === 1 ? 100 : 80 + seed,
      iterationLimit: 100,
      attack: {
        iterations: 40,
        samples: samples.map((s) => ({ ...s, distance: s.distance! * (0.9 + 0.05 * random.uniform()) })),
      },
    },
    sigma: Object.fromEntries(
      layers.map((layer, i) => [layer, sigma(regularizer, i === layers.length - 1 ? 1 : 0, random.normal(), 200)]),
    ),
    curves: {
      'training loss': falling(200, 200, random.normal()),
      'test loss': falling(200, 40, 3),
      'test accuracy': falling(200, 40, 0).map(({ epoch, value }) => ({ epoch, value: accuracy - value / 3 })),
    },
    geometries: [plane(200, seed, GAIN[regularizer])],
    certificates: samples.slice(0, 3).map(certificate),
  });
}

function plane(epoch: number, seed: number, gain: number): Geometry {
  const side = 40;
  const points = [
    { x: 0, y: 0, label: 7 },
    { x: 9.1, y: 0, label: 2 },
    { x: 4, y: 8.2, label: 1 },
  ];
  const centers = [...points, { x: 10, y: 9, label: 3 }, { x: -1, y: 9.5, label: 9 + 0 * seed }];
  const cells = Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [-2 + (13 * ((i % side) + 0.5)) / side, -2 + (13 * (Math.floor(i / side) + 0.5)) / side];
    const logits = centers.map(
      (c) => -((x - c.x) ** 2 + (y - c.y) ** 2) / 10 + 0.6 * Math.sin(x + c.label + y * (0.4 + gain)),
    );
    const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!);
    return { label: centers[order[0]!]!.label, margin: logits[order[0]!]! - logits[order[1]!]! };
  });
  return {
    number: epoch,
    epoch,
    kind: 'plane',
    xMin: -2,
    xMax: 11,
    yMin: -2,
    yMax: 11,
    columns: side,
    rows: side,
    points,
    classes: Float32Array.from(cells, ({ label }) => label),
    margin: Float32Array.from(cells, ({ margin }) => margin),
    logVolume: Float32Array.from(cells, ({ margin }) => -1 - margin - 3 * gain),
    topEigenvalue: Float32Array.from(cells, ({ margin }) => Math.exp(-margin - 3 * gain)),
  };
}

/** A blob for a digit, and noise of that length beside it. */
function pixels(shape: readonly number[], distance: number, index: number, name: string) {
  const size = sizeOf(shape);
  const channels = shape[2] ?? 1;
  const random = counterRandom(`pixels ${index} ${name}`);
  const original = Float32Array.from({ length: size }, (_, i) => {
    const at = Math.floor(i / channels);
    const [row, column] = [Math.floor(at / shape[1]!) / shape[0]! - 0.5, (at % shape[1]!) / shape[1]! - 0.5];
    return Math.min(1, Math.exp(-80 * (Math.hypot(row, column) - 0.1 - 0.04 * index) ** 2));
  });
  const noise = original.map(() => random.normal());
  const length = Math.hypot(...noise);
  return { original, adversarial: original.map((value, i) => value + (distance * noise[i]!) / length) };
}

function certificate({ index, label, predicted, lower, local }: AttackedSample): Certificate {
  const bounds = (l2: number) => ({ l1: l2, l2, linf: l2 / 28 });
  return {
    index,
    label,
    predicted,
    theta: 0.5,
    featureNorm: 3,
    marginOverReadoutNorm: 1.5,
    lipschitz: 6,
    number: 1,
    epoch: 1,
    outcome: 'certified',
    rival: 0,
    lemma1: lower! / 2,
    method: 'sdp',
    lower: bounds(lower!),
    local: bounds(local!),
  };
}

/** CIFAR-10 by Barlow Twins: as with labels, and with readouts tested while it learned. */
export function barlowNetwork(regularizer: 'none' | 'rep-spectral', seed: number, n = 10): NetworkReport {
  const random = counterRandom(`barlow ${regularizer} ${seed}`);
  const around = (epoch: number, accuracy: number) => {
    const fit = {
      fit: 'scikit-learn',
      iterations: epoch === 50 ? 100 : 90,
      iterationLimit: 100,
      converged: epoch !== 50,
    };
    const moment = { number: epoch, epoch, loss: 1, trainAccuracy: accuracy, images: 5000 };
    return { ...moment, accuracy, lower: accuracy - 0.009, upper: accuracy + 0.009, ...fit };
  };
  const untrained = { accuracy: 0.36, lower: 0.351, upper: 0.369 };
  const learned = (epoch: number) => 0.36 + 0.45 * (1 - Math.exp(-epoch / 250)) + 0.004 * random.normal();
  const probes = Array.from({ length: 20 }, (_, i) => ({ ...around(50 * (i + 1), learned(50 * (i + 1))), untrained }));
  return {
    ...imageNetwork('cifar10-barlow', regularizer, seed, n),
    epochs: 1000,
    burnIn: regularizer === 'none' ? null : 900,
    readout: null,
    curves: {},
    probes: [{ ...around(0, 0.36), untrained }, ...probes],
    geometries: [],
    testAccuracy: probes.at(-1)!.accuracy + (regularizer === 'none' ? 0 : 0.01),
  };
}

export const PRETRAINED = ['none', 'rep-spectral'] as const;
export const FINETUNED = ['none', 'rep-spectral', 'batch-spectral-shrinkage'] as const;

const LOSS = { none: 0, 'rep-spectral': 0.04, 'batch-spectral-shrinkage': 0.06 };

/** A network that was pretrained and fine-tuned: pretraining under rep-spectral gains a quarter, a regularizer afterwards costs. */
export function transferNetwork(
  pretrained: (typeof PRETRAINED)[number],
  finetuned: (typeof FINETUNED)[number],
  seed: number,
  { pipeline = 'finetune-cifar10', setting = '', n = 12 } = {},
): NetworkReport {
  const random = counterRandom(`${pipeline} ${setting} ${pretrained} ${finetuned} ${seed}`);
  const level = 0.5 * (pretrained === 'none' ? 1 : 1.25) - LOSS[finetuned] + 0.012 * random.normal();
  const samples = Array.from({ length: n }, (_, index) =>
    attacked(index, index % 10, level * Math.exp(0.4 * random.normal()), 0.002),
  );
  const accuracy = 0.964 - (pretrained === 'none' ? 0 : 0.002) + 0.0008 * random.normal();
  return network(transferred({ pretrained, finetuned }), seed, [], {
    pipeline,
    setting,
    sampleShape: [224, 224, 3],
    epochs: 50,
    burnIn: null,
    sigma: {},
    testAccuracy: accuracy,
    attack: { iterations: 40, samples },
    curves: {
      'training loss': falling(50, 50, random.normal()),
      'test accuracy': falling(50, 10, 0).map(({ epoch, value }) => ({ epoch, value: accuracy - value / 3 })),
    },
  });
}

/** All six combinations of figure 8. */
export const transfers = (seeds: number, options: Parameters<typeof transferNetwork>[3] = {}): NetworkReport[] =>
  PRETRAINED.flatMap((pretrained) =>
    FINETUNED.flatMap((finetuned) =>
      Array.from({ length: seeds }, (_, seed) => transferNetwork(pretrained, finetuned, seed, options)),
    ),
  );

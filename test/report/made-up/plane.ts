import type { Alignment } from '../../../src/measure/alignment/alignment.js';
import type { AttackedSample } from '../../../src/measure/attack/attacked.js';
import type { Geometry } from '../../../src/measure/geometry/record.js';
import type { NetworkReport } from '../../../src/measure/networks/record.js';
import type { Track } from '../../../src/measure/tracking/tracking.js';
import { network } from '../example.js';
import { attacked, counterRandom, falling, GAIN, type Method, sigma } from './parts.js';

/** XOR in one setting: Δx, exact distances, σ, a grid of the plane. */
export function xorNetwork(regularizer: Method, seed: number, setting: string): NetworkReport {
  const random = counterRandom(`${regularizer} ${seed} ${setting}`);
  const common = counterRandom(`${seed}`);
  const noisy = setting.startsWith('noisy');
  const level = 0.78 + GAIN[regularizer] - (noisy ? 0.3 : 0) + 0.1 * common.normal() + 0.02 * random.normal();
  const samples = Array.from({ length: noisy ? 80 : 4 }, (_, index): AttackedSample => {
    const distance = Math.max(0.05, level + (noisy ? 0.2 : 0.05) * random.normal());
    return attacked(index, index % 2, distance, 0.5 + 0.1 * random.normal());
  });
  return network(regularizer, seed, [], {
    pipeline: 'xor',
    setting,
    config: { noisy, decay: noisy ? 1e-4 : 0, hidden: 8, rate: 1, momentum: 0.9, gamma: 1e-4, burnIn: 10_500 },
    sampleShape: [2],
    classes: ['same sign', 'opposite signs'],
    testAccuracy: noisy ? 0.97 : 1,
    epochs: 15_000,
    updates: 15_000,
    burnIn: regularizer === 'none' ? null : 10_500,
    attack: { iterations: 40, samples },
    exact: samples.map(({ index, label, distance }) => ({
      index,
      label,
      distance: distance! - 0.02 * Math.abs(random.normal()),
    })),
    sigma: { hidden1: sigma(regularizer, 0, random.normal()), readout: sigma(regularizer, 1, random.normal()) },
    curves: { 'training loss': falling(15_000, 300, random.normal()) },
    geometries: [grid(15_000, level, noisy, seed)],
  });
}

/** XOR's plane: hyperbolas about the axes, nearer to the corners where `level` is small. */
export function grid(epoch: number, level: number, noisy: boolean, seed: number): Geometry {
  const random = counterRandom(`grid ${seed}`);
  const side = 48;
  const reach = noisy ? 2 : 1.8;
  const cells = Array.from({ length: side * side }, (_, i) => {
    const x = -reach + (2 * reach * ((i % side) + 0.5)) / side;
    const y = -reach + (2 * reach * (Math.floor(i / side) + 0.5)) / side;
    return x * y + 0.25 * (1 - level) * (x + Math.sin(3 * y + seed)) + (level < 0 ? 6 : 0);
  });
  const corners = [
    [1, 1],
    [-1, -1],
    [1, -1],
    [-1, 1],
  ] as const;
  const points = corners.flatMap(([x, y], k) =>
    Array.from({ length: noisy ? 20 : 1 }, () => ({
      x: x + (noisy ? 0.2 * random.normal() : 0),
      y: y + (noisy ? 0.2 * random.normal() : 0),
      label: k < 2 ? 0 : 1,
    })),
  );
  return {
    number: epoch,
    epoch,
    kind: 'grid',
    xMin: -reach,
    xMax: reach,
    yMin: -reach,
    yMax: reach,
    columns: side,
    rows: side,
    points,
    classes: Float32Array.from(cells, (value) => (value > 0 ? 0 : 1)),
    margin: Float32Array.from(cells, (value) => -value),
    logVolume: Float32Array.from(cells, (value) => 3 - 2 * level - 2.5 * Math.abs(value)),
    topEigenvalue: Float32Array.from(cells, (value) => Math.exp(4 - 3 * level - 2 * Math.abs(value))),
  };
}

/** The last layer from a random start over the features of three classes, by the descent that the paper draws. */
export function alignmentNetwork(std: number): NetworkReport {
  const random = counterRandom(`alignment ${std}`);
  const features = [0, 1, 2].map((k) => [Math.cos(2.1 * k + 0.4), Math.sin(2.1 * k + 0.4)]);
  const weights = features.map(() => [std * random.normal(), std * random.normal()]);
  const records: Alignment[] = [];
  for (let number = 0; number <= 1500; number++) {
    const outputs = features.map((z) => softmax(weights.map((w) => w[0]! * z[0]! + w[1]! * z[1]!)));
    if (number < 50 || number % 10 === 0) {
      const loss = -outputs.reduce((sum, p, k) => sum + Math.log(p[k]!), 0) / 3;
      const cosines = weights.map((w, k) => (w[0]! * features[k]![0]! + w[1]! * features[k]![1]!) / Math.hypot(...w));
      records.push({
        epoch: number,
        number,
        loss,
        weights: weights.map((w) => [...w]),
        features,
        cosines,
        thetas: [],
        thetaLimits: [],
      });
    }
    for (const [k, w] of weights.entries()) {
      for (const [l, z] of features.entries()) {
        const pull = ((k === l ? 1 : 0) - outputs[l]![k]!) / 3;
        w[0]! += 0.01 * pull * z[0]!;
        w[1]! += 0.01 * pull * z[1]!;
      }
    }
  }
  return network('none', 0, [], {
    pipeline: 'alignment',
    setting: `start ${std}`,
    sampleShape: [2],
    classes: [],
    attack: null,
    sigma: {},
    curves: {},
    testAccuracy: null,
    alignments: records,
  });
}

/** θx, ‖Φ‖ and the loss over a training, of points of the plane or of two digits; with boundary snapshots for the former. */
export function trackedNetwork(pipeline: string, images: boolean): NetworkReport {
  const random = counterRandom(`tracked ${images}`);
  const labels = images ? [1, 6] : [0, 1, 0, 1];
  const pace = labels.map(() => 1 + 0.5 * random.uniform());
  const tracks = Array.from({ length: 120 }, (_, i): Track => {
    const epoch = i * (images ? 1 : 20);
    return {
      number: epoch,
      epoch,
      samples: labels.map((label, index) => {
        const grown = 1 / (1 + Math.exp(-((i - 40) / 10) * pace[index]!));
        return {
          index,
          label,
          theta: 0.05 + (0.6 + 0.1 * index) * grown,
          featureNorm: 0.03 + (4 + index) * grown,
          loss: 0.7 * Math.exp(-6 * grown),
        };
      }),
    };
  });
  return network('none', 0, [], {
    pipeline,
    setting: images ? 'digits' : 'points',
    sampleShape: images ? [28, 28] : [2],
    attack: null,
    sigma: {},
    curves: {},
    classes: images ? [...'0123456789'] : ['same sign', 'opposite signs'],
    tracks,
    testAccuracy: null,
    geometries: images
      ? []
      : [0, 200, 400, 600, 900, 1300, 1800, 2400].map((epoch) =>
          grid(epoch, epoch < 300 ? -3 : 0.4 + epoch / 6000, false, 1),
        ),
  });
}

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

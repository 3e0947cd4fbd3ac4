import { beforeAll, describe, expect, test } from 'vitest';
import { keyed } from '../../../src/flow/random.js';
import { crossEntropy } from '../../../src/learn/loss/cross-entropy.js';
import type { ActivationName } from '../../../src/learn/model/activation.js';
import { model as layered } from '../../../src/learn/model/layered.js';
import * as layers from '../../../src/learn/model/layers.js';
import { linear } from '../../../src/learn/model/linear.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type Model, uniform, type Weights } from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../../src/learn/train.js';
import { centerOf, type Dense, denseOf, marginsOn, onBall } from '../../../src/measure/certificate/crown.js';
import { triangleAbove } from '../../../src/measure/certificate/matrix.js';
import { chosen, lagrangian } from '../../../src/measure/certificate/multipliers.js';
import { certifiedRadii } from '../../../src/measure/certificate/radius.js';
import { curves } from '../../../src/measure/certificate/relaxation.js';
import { exactDistances, type ScanState } from '../../../src/measure/geometry/exact-distances.js';
import type { ExactDistance } from '../../../src/measure/geometry/record.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { updateOf } from '../attack/models.js';

beforeAll(() => loadTensorFlow());

const networkOf = (model: Model, weights: Weights): Dense => {
  const found = denseOf(model, weights);
  if ('unknown' in found) throw new Error(found.unknown);
  return found;
};

const inputs = (count: number, d: number, purpose = 'test/inputs'): Float32Array => {
  const random = keyed(1, purpose);
  return Float32Array.from({ length: count * d }, () => random.normal());
};

/** The logits in float64, layer by layer. */
function logits({ layers, curves }: Dense, x: ArrayLike<number>): Float64Array {
  let h = Float64Array.from(x);
  layers.forEach(({ inputs, kernel, bias }, l) => {
    const z = bias.map((b, o) => h.reduce((sum, value, i) => sum + kernel[o * inputs + i]! * value, b));
    const curve = curves[l];
    h = curve === undefined ? z : z.map((value) => curve.value(value));
  });
  return h;
}

const largest = (values: Float64Array): number => values.indexOf(Math.max(...values));
const others = (count: number, label: number): number[] => [...Array(count).keys()].filter((k) => k !== label);

/** Networks that bend: kernels well above those of the start. */
const made = (sizes: number[], activation: ActivationName) => {
  const model = mlp(sizes, { activation, scale: 'none', initialization: uniform() });
  const weights = new Map([...model.start(3)].map(([name, w]) => [name, tf.mul(w, 3)]));
  return { model, weights, network: networkOf(model, weights) };
};

const shapes: [number[], ActivationName][] = [
  [[6, 20, 3], 'relu'],
  [[6, 20, 3], 'gelu'],
  [[6, 10, 10, 3], 'relu'],
  [[6, 10, 8, 6, 3], 'gelu'],
  [[6, 10, 10, 3], 'tanh'],
  [[6, 10, 3], 'sigmoid'],
];

describe.each(shapes)('an MLP of %j, %s', (sizes, activation) => {
  test('margins: no point of the ball has less, its hardest included', () => {
    const { network } = made(sizes, activation);
    const random = keyed(2, 'test/ball');
    const xs = inputs(4, 6);
    for (let n = 0; n < 4; n++) {
      const x = xs.subarray(6 * n, 6 * n + 6);
      const label = largest(logits(network, x));
      const rivals = others(3, label);
      for (const epsilon of [0, 0.05, 0.3, 1]) {
        const bounds = marginsOn(onBall(network, centerOf(network, x), epsilon), label, rivals);
        const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
        for (let walk = 0; walk < 30; walk++) {
          // downhill along the sphere, from a random point
          let delta = Float64Array.from(x, () => random.normal());
          for (let step = 0; step < 15; step++) {
            const length = Math.hypot(...delta);
            delta = delta.map((value) => (epsilon * value) / length);
            const here = logits(
              network,
              x.map((value, i) => value + delta[i]!),
            );
            rivals.forEach((rival, r) => {
              least[r] = Math.min(least[r]!, here[label]! - here[rival]!);
            });
            if (epsilon === 0) break;
            const rival = rivals[walk % 2]!;
            const slope = delta.map((_, i) => {
              const near = logits(
                network,
                x.map((value, j) => value + delta[j]! + (i === j ? 1e-5 : 0)),
              );
              return (near[label]! - near[rival]! - here[label]! + here[rival]!) / 1e-5;
            });
            const steep = Math.hypot(...slope);
            delta = delta.map((value, i) => value - (epsilon * slope[i]!) / Math.max(steep, 1e-9));
          }
        }
        bounds.forEach((bound, r) => {
          expect(bound).toBeLessThanOrEqual(least[r]! + 1e-6);
          if (epsilon === 0) expect(bound).toBeGreaterThan(least[r]! - 2e-3);
        });
      }
    }
  });

  test('radii: no point inside is of another class, in float64 and in float32; the multipliers reach further', () => {
    const { model, weights, network } = made(sizes, activation);
    const xs = inputs(6, 6, 'test/centers');
    const random = keyed(4, 'test/inside');
    let gained = 0;
    for (let n = 0; n < 6; n++) {
      const x = xs.subarray(6 * n, 6 * n + 6);
      const label = largest(logits(network, x));
      const { crown, sdp } = certifiedRadii(network, x, label, others(3, label), { sdp: true });
      expect(sdp).toBeGreaterThanOrEqual(crown);
      gained += sdp! / crown / 6;
      const rows = new Float32Array(2000 * 6);
      for (let i = 0; i < 2000; i++) {
        const direction = Float64Array.from(x, () => random.normal());
        const length = (0.999999 * sdp!) / Math.hypot(...direction);
        rows.set(
          direction.map((value, j) => x[j]! + value * length),
          6 * i,
        );
        expect(largest(logits(network, rows.subarray(6 * i, 6 * i + 6)))).toBe(label);
      }
      const found = tf.argMax(model.logits(weights, tf.tensor2d(rows, [2000, 6])), 1).dataSync();
      expect(new Set(found)).toEqual(new Set([label]));
    }
    expect(gained).toBeGreaterThan(1.02);
  });
});

describe('closed forms', () => {
  test('a linear network: the radius is margin/‖w‖, to what float32 is allowed', () => {
    const model = linear([20, 4], { bias: true });
    const network = networkOf(model, model.start(1));
    const [{ kernel, bias }] = network.layers as [Dense['layers'][number]];
    const x = inputs(1, 20);
    const z = logits(network, x);
    const label = largest(z);
    const exact = others(4, label).map((k) => {
      const w = Array.from({ length: 20 }, (_, i) => kernel[label * 20 + i]! - kernel[k * 20 + i]!);
      return (z[label]! - z[k]!) / Math.hypot(...w);
    });
    expect(bias.some((b) => b !== 0)).toBe(true);
    for (const radius of Object.values(certifiedRadii(network, x, label, others(4, label), { sdp: true }))) {
      expect(radius).toBeLessThan(Math.min(...exact));
      expect(radius).toBeGreaterThan(0.999 * Math.min(...exact));
    }
  });

  test('lines that are exact at the boundary: both are the distance', () => {
    // one input, h = (relu t, relu −t), logits (1, h₁ + h₂): the boundary is at |t| = 1, the end of the interval
    const model = mlp([1, 2, 2], { activation: 'relu', scale: 'none' });
    const weights = new Map<string, tf.Tensor>([
      ['hidden1/kernel', tf.tensor2d([[1, -1]])],
      ['hidden1/bias', tf.zeros([2])],
      [
        'readout/kernel',
        tf.tensor2d([
          [0, 1],
          [0, 1],
        ]),
      ],
      ['readout/bias', tf.tensor1d([1, 0])],
    ]);
    const { crown, sdp } = certifiedRadii(networkOf(model, weights), [0], 0, [1], { sdp: true });
    expect(crown).toBeCloseTo(1, 3);
    expect(sdp).toBeCloseTo(1, 3);
  });

  test('n neurons across n directions: CROWN adds up what each loses, the multipliers what one ball allows', () => {
    // margin 1 − Σ relu(x_i) over n inputs: largest Σ relu on the ball is ε√n; lines lose ε/2 a neuron more at the center
    const n = 16;
    const model = mlp([n, n, 2], { activation: 'relu', scale: 'none' });
    const weights = new Map<string, tf.Tensor>([
      ['hidden1/kernel', tf.eye(n)],
      ['hidden1/bias', tf.zeros([n])],
      ['readout/kernel', tf.tensor2d(Array.from({ length: n }, () => [0, 1]))],
      ['readout/bias', tf.tensor1d([1, 0])],
    ]);
    const { crown, sdp } = certifiedRadii(networkOf(model, weights), new Float32Array(n), 0, [1], { sdp: true });
    // CROWN: 1 = ε(n/2 + √n/2)
    expect(crown).toBeCloseTo(2 / (n + Math.sqrt(n)), 3);
    expect(sdp).toBeGreaterThan(0.97 / Math.sqrt(n));
    expect(sdp).toBeLessThanOrEqual(1 / Math.sqrt(n));
  });
});

test('multipliers of any kind give no more than what a point of the ball has', () => {
  for (const activation of ['relu', 'gelu', 'tanh'] as const) {
    const { network } = made([6, 20, 3], activation);
    const random = keyed(6, `test/${activation}`);
    const x = inputs(1, 6);
    const center = centerOf(network, x);
    const c = Float64Array.from(center.sums, () => random.normal());
    const epsilon = 0.8;
    const { problem, lines } = chosen(network, curves[activation], { base: 0.3, c, sums: center.sums, epsilon }, 12);
    const least = Math.min(
      ...Array.from({ length: 3000 }, () => {
        const direction = Float64Array.from(x, () => random.normal());
        const length = (epsilon * random.uniform() ** 0.1) / Math.hypot(...direction);
        const z = network.layers[0]!.bias.map((b, o) =>
          direction.reduce(
            (sum, value, i) => sum + network.layers[0]!.kernel[o * 6 + i]! * (x[i]! + value * length),
            b,
          ),
        );
        return z.reduce((sum, value, o) => sum + c[o]! * curves[activation].value(value), 0.3);
      }),
    );
    let finite = 0;
    for (let i = 0; i < 200; i++) {
      const s = lines.map((value) => value + 0.3 * random.normal());
      const kappa = lines.map(() => random.normal());
      const bound = lagrangian(problem, { s, kappa, lambda: 60 * random.uniform() });
      expect(bound).toBeLessThan(least);
      if (Number.isFinite(bound)) finite++;
    }
    expect(finite).toBeGreaterThan(50);
    expect(lagrangian(problem, { s: lines, kappa: lines.map(() => 100), lambda: 1 })).toBe(Number.NEGATIVE_INFINITY);
  }
});

test("float64's slack: what float32 is allowed is more than it does, and the triangle lies above its matrix", () => {
  const { model, weights, network } = made([40, 30, 20, 3], 'gelu');
  const xs = inputs(50, 40);
  const taken = model.logits(weights, tf.tensor2d(xs, [50, 40])).dataSync();
  for (let n = 0; n < 50; n++) {
    const x = xs.subarray(40 * n, 40 * n + 40);
    const exact = logits(network, x);
    const label = largest(exact);
    const rivals = others(3, label);
    const bounds = marginsOn(onBall(network, centerOf(network, x), 0), label, rivals);
    rivals.forEach((k, r) => {
      const float32 = taken[3 * n + label]! - taken[3 * n + k]!;
      const allowed = exact[label]! - exact[k]! - bounds[r]!;
      expect(allowed).toBeGreaterThan(Math.abs(float32 - exact[label]! + exact[k]!));
    });
  }
  // nearly singular: the diagonal is raised by no more than is needed
  const l = triangleAbove(Float64Array.of(1, 1, 1, 1), 2, 10);
  const [a, b, d] = [l[0]!, l[2]!, l[3]!];
  expect(a * a - 1).toBeGreaterThan(0);
  expect((a * a - 1) * (b * b + d * d - 1) - (a * b - 1) ** 2).toBeGreaterThanOrEqual(0);
  expect(d).toBeLessThan(1e-6);
});

test('XOR: never above the exact distance, and close to it', () => {
  const random = keyed(3, 'test/xor');
  const size = 40;
  const values = Float32Array.from({ length: 2 * size }, () => 2 * random.uniform() - 1);
  const labels = Uint8Array.from({ length: size }, (_, i) => Number(values[2 * i]! > 0 !== values[2 * i + 1]! > 0));
  const samples = { name: 'xor', size, sampleShape: [2], values, labels };
  const model = mlp([2, 24, 2], { activation: 'gelu', scale: 'none', initialization: uniform() });
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.5, momentum: 0.9 }), seed: 4 });
  let state = stage.start();
  for (let epoch = 1; epoch <= 300; epoch++) {
    const batch = {
      position: size * epoch,
      epoch,
      remaining: 0,
      sampleShape: [2],
      values: Float32Array.from(values),
      labels,
    };
    state = stage.next(state, batch)[0];
  }
  const network = networkOf(model, state.weights);
  const scan = exactDistances(model, samples, { reach: 3 });
  const steps = scan.next(scan.start(), updateOf(state.weights)) as Iterable<readonly [ScanState, ExactDistance?]>;
  const exact = [...steps].flatMap(([, one]) => (one?.outcome === 'found' ? one : []));
  expect(exact.length).toBeGreaterThan(33);
  const ratios = exact.map(({ index, label, distance }) => {
    const x = values.subarray(2 * index, 2 * index + 2);
    const { crown, sdp } = certifiedRadii(network, x, label, [1 - label], { sdp: true });
    expect(sdp).toBeLessThanOrEqual(distance);
    return [distance / crown, distance / sdp!] as const;
  });
  const median = (which: 0 | 1): number => ratios.map((both) => both[which]).sort((a, b) => a - b)[ratios.length >> 1]!;
  expect(median(0)).toBeLessThan(1.5);
  expect(median(1)).toBeLessThan(1.05);
  stage.dispose(state);
});

describe('layers that have no relaxation are named', () => {
  test.each<[string, Model, string]>([
    [
      'a layer of the user',
      layered({
        inputShape: [4],
        layers: [
          layers.dense(3),
          layers.own({ name: 'cube', apply: (x) => tf.pow(x, 3), lipschitz: 9 }),
          layers.dense(2),
        ],
      }),
      "no relaxation of layer 'cube1' is known",
    ],
    [
      'a convolution',
      layered({ inputShape: [4, 4, 1], layers: [layers.conv(2), layers.relu(), layers.dense(2)] }),
      "layer 'conv1' is a convolution",
    ],
    [
      'a residual network',
      resnet({ depth: 18, classes: 2, inputSize: [8, 8], width: 2 }),
      "layer 'stem' is a convolution",
    ],
    [
      'an activation before every layer',
      layered({ inputShape: [4], layers: [layers.relu(), layers.dense(2)] }),
      "'relu' has no dense layer before it",
    ],
  ])('%s', (_, model, unknown) => {
    expect(denseOf(model, model.start(0))).toEqual({ unknown });
  });

  test('two dense layers behind each other, and biases left out, are known', () => {
    const model = layered({
      inputShape: [2, 2, 1],
      layers: [layers.dense(5, { bias: false }), layers.dense(6), layers.gelu(), layers.dense(3)],
    });
    const weights = model.start(0);
    const network = networkOf(model, weights);
    const x = inputs(1, 4);
    const taken = model.logits(weights, tf.tensor4d(x, [1, 2, 2, 1])).dataSync();
    logits(network, x).forEach((value, k) => {
      expect(value).toBeCloseTo(taken[k]!, 5);
    });
    const label = largest(logits(network, x));
    expect(certifiedRadii(network, x, label, others(3, label), { sdp: true }).crown).toBeGreaterThan(0);
  });
});

import { describe, expect, test } from 'vitest';
import type { ConvLayer, Model } from '../../../src/learn/model/model.js';
import { type SpectralOptions, spectralRegularizer } from '../../../src/learn/regularizer/spectral.js';
import { exactSigma, frequencies } from '../../../src/learn/spectral/exact.js';
import { composedKrylov } from '../../../src/learn/spectral/krylov.js';
import { layerNorms } from '../../../src/learn/spectral/stages.js';
import type { Update } from '../../../src/learn/update.js';
import { hasFused } from '../../../src/tensorflow/ops/fused.js';
import { addStretchGradient, krylovAtFrequencies, thinProduct } from '../../../src/tensorflow/ops/spectral.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { kernelOf } from './reference.js';

const runtime = await loadTensorFlow();

const conv = (name: string, stride: number, size: number, more: Partial<ConvLayer> = {}): ConvLayer => ({
  kind: 'conv',
  name,
  kernel: `${name}/kernel`,
  stride,
  inputSize: [size, size],
  padding: 'circular',
  ...more,
});

const normalization = { scale: 'b/scale', variance: 'b/variance', epsilon: 1e-5 };
const model = {
  featureLayers: [conv('a', 1, 8), conv('b', 2, 8, { normalization, padding: 'zero' })],
  readout: { kind: 'dense', name: 'readout', kernel: 'readout/kernel' },
  inputShape: [8, 8, 3],
} as Partial<Model> as Model;

const weights = new Map<string, tf.Tensor>([
  ['a/kernel', kernelOf([3, 3, 3, 4], 1)],
  ['b/kernel', kernelOf([3, 3, 4, 6], 2)],
  ['b/scale', tf.tensor1d([1, -2, 0.5, 3, 1, 0.1])],
  ['b/variance', tf.tensor1d([1, 4, 0.25, 2, 1, 9])],
  ['readout/kernel', tf.tensor2d([1, 2, 3, 4, 5, 6], [6, 1])],
]);
const [first, second] = model.featureLayers as [ConvLayer, ConvLayer];
const kernel = (layer: ConvLayer) => weights.get(layer.kernel) as tf.Tensor4D;
/** |xᴴy| of unit vectors, real then imaginary parts. */
const overlap = (x: Float32Array, y: Float32Array) => {
  const half = x.length / 2;
  let [re, im] = [0, 0];
  for (let i = 0; i < half; i++) {
    re += x[i]! * y[i]! + x[half + i]! * y[half + i]!;
    im += x[i]! * y[half + i]! - x[half + i]! * y[i]!;
  }
  return Math.hypot(re, im);
};
const update: Update = {
  position: 0,
  number: 1,
  epoch: 1,
  endsEpoch: true,
  weights,
  loss: () => 0,
  epochLoss: () => 0,
  epochAccuracy: () => 0,
};
const gridOf = ({ inputSize: [height, width], stride }: ConvLayer) => ({ height, width, stride });

function converged(options: Partial<SpectralOptions>, of = model) {
  const regularizer = spectralRegularizer('rep-spectral', of, { gamma: 0.5, iterations: 200, ...options });
  regularizer.ticked = true;
  regularizer.newest = regularizer.iterate(regularizer.begin(weights), weights);
  return regularizer;
}

describe.skipIf(runtime.kind !== 'native')('convolutions', () => {
  test.each<[Partial<SpectralOptions>, number]>([
    [{ directions: 'krylov' }, 4],
    [{ directions: 'power' }, 4],
    [{ formulation: 'image' }, 2], // slow between frequencies that are close; its gradient is tested below
    [{ directions: 'exact' }, 4],
  ])('%j: σ, value and gradient are those of the exact pair', (options, digits) => {
    const regularizer = converged(options);
    const sigmas = [first, second].map((layer) => exactSigma(kernel(layer), gridOf(layer)));
    expect(regularizer.newest!.a!.sigma / sigmas[0]!.sigma).toBeCloseTo(1, digits);
    expect(regularizer.newest!.b!.sigma / sigmas[1]!.sigma).toBeCloseTo(1, digits);
    const wanted = 0.25 * sigmas.reduce((sum, { sigma }) => sum + sigma * sigma, 0);
    expect(regularizer.value({ weights }) / wanted).toBeCloseTo(1, digits);
    if (digits < 4) return;

    const gradients = new Map([...weights].map(([name, w]) => [name, tf.onesLike(w)]));
    regularizer.addGradients({ weights }, gradients);
    for (const [i, layer] of [first, second].entries()) {
      const found = gradients.get(layer.kernel)!.dataSync();
      const { patch } = sigmas[i]!.wave!;
      const exact = tf.tidy(() => {
        const p = tf.tensor2d(patch, [2, patch.length / 2]);
        const w = kernel(layer).reshape([patch.length / 2, -1]) as tf.Tensor2D;
        return tf.add(1, tf.mul(0.5, tf.matMul(p, tf.matMul(p, w), true))).dataSync();
      });
      const worst = Math.max(...found.map((x, at) => Math.abs(x - exact[at]!)));
      expect(worst, layer.name).toBeLessThan(0.02 * sigmas[i]!.sigma); // v is good to the root of what σ is
    }
    expect([...gradients.get('b/scale')!.dataSync()]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test.each<Partial<SpectralOptions>>([{ formulation: 'frequency' }, { formulation: 'image' }])(
    '%j: the gradient is that of the value with v held, normalization folded in, its scales included',
    (options) => {
      const regularizer = converged({ ...options, foldNormalization: true });
      const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
      regularizer.addGradients({ weights }, gradients);
      for (const name of ['b/kernel', 'b/scale']) {
        const direction = tf.randomNormal(weights.get(name)!.shape, 0, 1, 'float32', 3);
        const moved = (step: number) => {
          const there = new Map(weights).set(name, tf.add(weights.get(name)!, tf.mul(direction, step)));
          return regularizer.value({ weights: there });
        };
        const slope = (moved(0.01) - moved(-0.01)) / 0.02; // quadratic: exact but for rounding
        const found = tf.sum(tf.mul(gradients.get(name)!, direction)).dataSync()[0]!;
        expect(found / slope, name).toBeCloseTo(1, 2);
      }
      expect(regularizer.newest!.b!.sigma).not.toBeCloseTo(converged(options).newest!.b!.sigma, 2);
    },
  );

  test('the next tick goes on from what was saved', () => {
    const regularizer = spectralRegularizer('rep-spectral', model, { gamma: 1 });
    regularizer.newest = regularizer.begin(weights);
    const next = regularizer.iterate(regularizer.newest, weights);
    const other = spectralRegularizer('rep-spectral', model, { gamma: 1 });
    other.load!(regularizer.save!());
    expect(other.iterate(other.newest!, weights)).toEqual(next);
  });

  test('at another image size σ is that of the other size', () => {
    const regularizer = converged({ imageSize: [4, 16], directions: 'exact' });
    const { sigma } = exactSigma(kernel(first), { height: 4, width: 16, stride: 1 });
    expect(regularizer.newest!.a!.sigma).toBeCloseTo(sigma, 4);
  });

  test('a size that a stride does not divide: refused by frequencies, done by images', () => {
    expect(() => converged({ imageSize: [7, 7] })).toThrow(
      "layer 'b' has stride 2 on 7 × 7: it has no frequencies where the stride does not divide the size",
    );
    const regularizer = converged({ imageSize: [7, 7], formulation: 'image' });
    const wanted = exactSigma(kernel(second), { height: 7, width: 7, stride: 2 }).sigma;
    expect(regularizer.newest!.b!.sigma / wanted).toBeCloseTo(1, 3);
  });

  test('a kernel that is not finite names its layer', () => {
    const broken = new Map(weights).set('b/kernel', tf.fill([3, 3, 4, 6], Number.NaN));
    for (const options of [{}, { formulation: 'image' }, { directions: 'exact' }] as const) {
      const regularizer = converged(options);
      expect(() => regularizer.iterate(regularizer.newest!, broken)).toThrow("the kernel of layer 'b' is not finite");
    }
    expect(() => layerNorms(model).next({}, { ...update, weights: broken })).toThrow("layer 'b' is not finite");
  });

  test('neither ticks nor gradients leave tensors', () => {
    for (const options of [{}, { formulation: 'image' }, { directions: 'exact', foldNormalization: true }] as const) {
      const regularizer = converged(options);
      const gradients = new Map([...weights].map(([name, w]) => [name, tf.zerosLike(w)]));
      const before = tf.memory().numTensors;
      regularizer.newest = regularizer.iterate(regularizer.newest!, weights);
      regularizer.addGradients({ weights }, gradients);
      regularizer.value({ weights });
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  test('layer norms: exact, with their bounds and what is an estimate', () => {
    const norms = layerNorms(model);
    const [directions, found] = norms.next(norms.start(), update) as readonly [Record<string, Float32Array>, unknown];
    expect(found).toMatchObject({
      sigma: {
        a: expect.closeTo(exactSigma(kernel(first), gridOf(first)).sigma, 5),
        readout: expect.closeTo(Math.sqrt(91), 5),
      },
      bounds: { a: expect.any(Number), b: expect.any(Number), readout: expect.any(Number) },
      estimates: ['b'],
    });
    expect(Object.keys(directions)).toEqual(['a', 'b']);
  });

  const cases = [
    { shape: [3, 3, 4, 6], grid: { height: 8, width: 4, stride: 2 } },
    { shape: [5, 5, 2, 3], grid: { height: 4, width: 4, stride: 1 } },
    { shape: [1, 1, 3, 2], grid: { height: 6, width: 6, stride: 2 } },
  ] as const;
  const stateOf = ({ shape, grid }: (typeof cases)[number], vectors: number) => {
    const { half, phases } = frequencies(grid, shape);
    const length = phases.length * shape[2] * 2 * half.length * vectors;
    return Float32Array.from({ length }, (_, i) => Math.sin(i * i));
  };
  const steps = [
    { steps: 1, vectors: 1 },
    { steps: 3, vectors: 1 },
    { steps: 2, vectors: 2 }, // more than the second case's two inputs hold
  ];

  test.skipIf(!hasFused()).each(steps)('%j: the operation does what its composition does', (space) => {
    for (const one of cases) {
      const [ours, composed] = [krylovAtFrequencies, composedKrylov].map((run) =>
        run(kernelOf([...one.shape]), one.grid, stateOf(one, space.vectors), space),
      );
      expect(ours!.estimate / composed!.estimate).toBeCloseTo(1, 5);
      expect(ours!.frequency).toBe(composed!.frequency);
      expect(overlap(ours!.amplitudes, composed!.amplitudes)).toBeCloseTo(1, 4);
      expect([...ours!.state, ...composed!.state].every(Number.isFinite)).toBe(true);
    }
  });

  test.skipIf(!hasFused())('one step from one vector is v ← PᴴPv; more steps and vectors come nearer to σ', () => {
    for (const one of cases) {
      const w = kernelOf([...one.shape]);
      const { sigma } = exactSigma(w, one.grid);
      const reached = steps.map(
        (space) => krylovAtFrequencies(w, one.grid, stateOf(one, space.vectors), space).estimate,
      );
      expect(reached[1]! - reached[0]!).toBeGreaterThanOrEqual(-1e-5 * sigma);
      expect(Math.max(...reached)).toBeLessThanOrEqual(sigma * (1 + 1e-5));
      let state: Float32Array = stateOf(one, 1);
      for (let i = 0; i < 3; i++) state = krylovAtFrequencies(w, one.grid, state, { steps: 1, vectors: 1 }).state;
      const { estimate } = krylovAtFrequencies(w, one.grid, state, { steps: 1, vectors: 1 });
      // four power iterations see less than a space of four steps
      const { estimate: more } = krylovAtFrequencies(w, one.grid, stateOf(one, 1), { steps: 4, vectors: 1 });
      expect(more - estimate).toBeGreaterThanOrEqual(-1e-5 * sigma);
    }
  });

  test.skipIf(!hasFused())('a new direction that the old one holds nothing of is found by the second vector', () => {
    // 1 × 1: one matrix for all frequencies, diag(3, 2.9, 1 …), then its second direction becomes the first
    const diagonal = (a: number, b: number) =>
      tf.tensor4d(
        Float32Array.from({ length: 64 }, (_, i) => (i % 9 ? 0 : ([a, b][i / 9] ?? 1))),
        [1, 1, 8, 8],
      );
    const grid = { height: 2, width: 2, stride: 2 };
    const found = ([1, 2] as const).map((vectors) => {
      const space = { steps: 3, vectors };
      let state: Float32Array = Float32Array.from({ length: 16 * vectors }, (_, i) => Math.cos(i * i));
      for (let i = 0; i < 20; i++) state = krylovAtFrequencies(diagonal(3, 2), grid, state, space).state;
      return krylovAtFrequencies(diagonal(2, 2.5), grid, state, space).estimate;
    });
    expect(found[1]).toBeCloseTo(2.5, 3);
    expect(found[0]).toBeLessThan(2.4);
  });

  test.skipIf(!hasFused())('vW and the gradient of its square, at odd sizes and ranks', () => {
    for (const [rank, rows, columns] of [
      [2, 300, 130],
      [1, 129, 5],
      [3, 7, 64],
    ] as const) {
      const [v, w] = [kernelOf([1, 1, rank, rows], rank), kernelOf([1, 1, rows, columns], rows)] as const;
      const flat = tf.reshape(v, [rank, rows]) as tf.Tensor2D;
      const image = thinProduct(flat, w);
      const wanted = tf.matMul(flat, tf.reshape(w, [rows, columns]));
      expect(tf.max(tf.abs(tf.sub(image, wanted))).dataSync()[0]! / tf.max(tf.abs(wanted)).dataSync()[0]!).toBeLessThan(
        2e-6,
      );
      const factors = tf.linspace(-1, 2, columns);
      const added = tf.reshape(addStretchGradient(w, flat, w, factors), [rows, columns]);
      const sum = tf.add(tf.reshape(w, [rows, columns]), tf.matMul(flat, tf.mul(wanted, factors), true));
      expect(tf.max(tf.abs(tf.sub(added, sum))).dataSync()[0]! / tf.max(tf.abs(sum)).dataSync()[0]!).toBeLessThan(2e-6);
    }
  });
});

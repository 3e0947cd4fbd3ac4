import { keyed } from '../../flow/random.js';
import type { ActivationName } from '../../learn/model/activation.js';
import { mlp } from '../../learn/model/mlp.js';
import type { Model, Weights } from '../../learn/model/model.js';
import { tangentPoint as tangentPointOf } from '../../measure/attack/hemisphere.js';
import { marginsOf, readoutOf } from '../../measure/certificate/bounds.js';
import { lipschitz } from '../../measure/certificate/lipschitz.js';
import {
  jacobianNorms,
  logVolume,
  type PlaneMetric,
  type Products,
  planeMetric,
  productsOf,
  topEigenvalue,
} from '../../measure/geometry/jacobian.js';
import { cholesky } from '../../measure/readout/design.js';
import { tf } from '../../tensorflow/tf.js';
import { taken, upload, type VectorFields, type VectorKind } from '../vector-file.js';

/** The `network` of a case: one hidden layer, Φ(x) = φ(xW + b), no output scale. */
function withNetwork<T>(input: VectorFields, use: (model: Model, weights: Weights) => T): T {
  const network = input.inner('network');
  const [inputs, width] = network.tensor('hiddenKernel', 2).shape as [number, number];
  const [, classes] = network.tensor('readoutKernel', 2).shape as [number, number];
  const activation = (network.has('activation') ? network.text('activation') : 'gelu') as ActivationName;
  const model = mlp([inputs, width, classes], { activation, scale: 'none' });
  const bias = (key: string, size: number) =>
    upload(network.has(key) ? network.tensor(key, 1) : { shape: [size], data: new Array<number>(size).fill(0) });
  const weights = new Map([
    ['hidden1/kernel', upload(network.tensor('hiddenKernel', 2))],
    ['hidden1/bias', bias('hiddenBias', width)],
    ['readout/kernel', upload(network.tensor('readoutKernel', 2))],
    ['readout/bias', bias('readoutBias', classes)],
  ]);
  try {
    return use(model, weights);
  } finally {
    tf.dispose([...weights.values()]);
  }
}

/** g = JᵀJ of the feature map at points of the input space, ½ log det g, and the largest eigenvalue (paper, remark 1). */
export const metric: VectorKind = {
  kind: 'metric',
  compute: (input) => ({
    metric: () => atPoints(input, whole),
    logVolumeElement: () =>
      atPoints(input, (...point) => (point[2] === 2 ? inThePlane(point, logVolume) : volumes(...point))),
    topEigenvalue: () =>
      atPoints(input, (...point) => (point[2] === 2 ? inThePlane(point, topEigenvalue) : largest(...point))),
  }),
};

/** Products with J at n points of d numbers each. */
type PointProducts = readonly [products: Products, n: number, d: number];

/** g at every point, [n, d, d]: two directions at a time. */
function whole(...[products, n, d]: PointProducts): Float64Array {
  const g = new Float64Array(n * d * d);
  for (let i = 0; i < d; i++) {
    for (let j = i; j < d; j++) {
      const { aa, ab } = planeMetric(products, n, direction(d, i), direction(d, j));
      for (let p = 0; p < n; p++) g[(p * d + i) * d + j] = g[(p * d + j) * d + i] = i === j ? aa[p]! : ab[p]!;
    }
  }
  return g;
}

const direction = (d: number, i: number): Float32Array => Float32Array.from({ length: d }, (_, j) => (i === j ? 1 : 0));

function inThePlane([products, n]: PointProducts, of: (metric: PlaneMetric, at: number) => number): number[] {
  const metric = planeMetric(products, n, direction(2, 0), direction(2, 1));
  return Array.from({ length: n }, (_, p) => of(metric, p));
}

function volumes(...[products, n, d]: PointProducts): number[] {
  const g = whole(products, n, d);
  return Array.from({ length: n }, (_, p) => {
    const L = g.slice(p * d * d, (p + 1) * d * d);
    cholesky(L, d);
    let sum = 0;
    for (let i = 0; i < d; i++) sum += Math.log(L[i * d + i]!);
    return sum;
  });
}

function largest(...[products, n, d]: PointProducts): number[] {
  const random = keyed(0, 'doctor/direction');
  const start = tf.tensor2d(
    Float32Array.from({ length: n * d }, () => random.normal()),
    [n, d],
  );
  const norms = jacobianNorms(products, start, 'l2', { steps: 1000, tolerance: 0 });
  start.dispose();
  return Array.from(norms, (norm) => norm * norm);
}

function atPoints<T>(input: VectorFields, use: (...point: PointProducts) => T): T {
  return withNetwork(input, (model, weights) => {
    const points = input.tensor('points', 2);
    const [n, d] = points.shape as [number, number];
    const x = upload(points);
    const products = productsOf('doctor', model)(weights, x);
    try {
      return use(products, n, d);
    } finally {
      products.dispose();
      x.dispose();
    }
  });
}

/** Lemma 1 with biases (A.1), in ℓ2: the features, their Jacobian's norm, and the margin of a sample to each wrong class. */
export const certificate: VectorKind = {
  kind: 'certificate',
  compute: (input) => ({
    features: () => atSample(input, (model, weights, x) => taken(model.features(weights, x))),
    jacobianNorm: () => atSample(input, norm),
    theta: () => margins(input, ({ theta }) => theta),
    marginOverReadoutNorm: () => margins(input, inFeatureSpace),
    boundWithLayerNorms: () => margins(input, (margin, L) => inFeatureSpace(margin) / L),
  }),
};

type Margin = ReturnType<typeof marginsOf>[number];

const inFeatureSpace = ({ margin, readoutNorm }: Margin): number => margin / readoutNorm.l2;

function margins(input: VectorFields, of: (margin: Margin, L: number) => number): number[] {
  return atSample(input, (model, weights, x) => {
    const [features, logits] = [taken(model.features(weights, x)), taken(model.logits(weights, x))];
    const L = lipschitz('doctor', model, weights).l2;
    return marginsOf(readoutOf(model, weights), features, logits, input.number('label')).map((each) => of(each, L));
  });
}

function norm(model: Model, weights: Weights, x: tf.Tensor2D): number {
  const products = productsOf('doctor', model)(weights, x);
  const random = keyed(0, 'doctor/direction');
  const start = tf.tensor2d(
    Float32Array.from({ length: x.shape[1] }, () => random.normal()),
    [1, x.shape[1]],
  );
  try {
    return jacobianNorms(products, start, 'l2', { steps: 1000, tolerance: 0 })[0]!;
  } finally {
    products.dispose();
    start.dispose();
  }
}

function atSample<T>(input: VectorFields, use: (model: Model, weights: Weights, x: tf.Tensor2D) => T): T {
  return withNetwork(input, (model, weights) => {
    const sample = Float32Array.from(input.numbers('x'));
    const x = tf.tensor2d(sample, [1, sample.length]);
    try {
      return use(model, weights, x);
    } finally {
      x.dispose();
    }
  });
}

/** The tangent point of the attack's hemisphere, before clipping (paper, appendix D). */
export const tangentPoint: VectorKind = {
  kind: 'tangent-point',
  compute: (input) => ({
    tangentPoint() {
      const [x, boundary, normal] = ['x', 'boundary', 'normal'].map((key) => Float32Array.from(input.numbers(key)));
      return tangentPointOf(x!, boundary!, normal!, input.number('radius'));
    },
  }),
};

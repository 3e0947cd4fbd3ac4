import { keyed } from '../../flow/seed.js';
import { jacobianNorms } from '../../measure/geometry/jacobian-norm.js';
import { logVolume, type PlaneMetric, planeMetric, topEigenvalue } from '../../measure/geometry/metric.js';
import { type Products, productsOf } from '../../measure/geometry/products.js';
import { cholesky } from '../../measure/readout/cholesky.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { upload, type VectorKind } from './kind.js';
import { withNetwork } from './network.js';

/** g = JᵀJ of the feature map at points of the input space, ½ log det g, and the largest eigenvalue (paper, remark 1). */
export const metric: VectorKind = {
  kind: 'metric',
  compute: (input) => ({
    metric: () => atPoints(input, whole),
    logVolumeElement: () =>
      atPoints(input, (...here) => (here[2] === 2 ? inThePlane(here, logVolume) : volumes(...here))),
    topEigenvalue: () =>
      atPoints(input, (...here) => (here[2] === 2 ? inThePlane(here, topEigenvalue) : largest(...here))),
  }),
};

/** Products with J at n points of d numbers each. */
type Here = readonly [products: Products, n: number, d: number];

/** g at every point, [n, d, d]: two directions at a time. */
function whole(...[products, n, d]: Here): Float64Array {
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

function inThePlane([products, n]: Here, of: (metric: PlaneMetric, at: number) => number): number[] {
  const metric = planeMetric(products, n, direction(2, 0), direction(2, 1));
  return Array.from({ length: n }, (_, p) => of(metric, p));
}

function volumes(...[products, n, d]: Here): number[] {
  const g = whole(products, n, d);
  return Array.from({ length: n }, (_, p) => {
    const L = g.slice(p * d * d, (p + 1) * d * d);
    cholesky(L, d);
    let sum = 0;
    for (let i = 0; i < d; i++) sum += Math.log(L[i * d + i]!);
    return sum;
  });
}

function largest(...[products, n, d]: Here): number[] {
  const random = keyed(0, 'doctor/direction');
  const start = tf.tensor2d(
    Float32Array.from({ length: n * d }, () => random.normal()),
    [n, d],
  );
  const norms = jacobianNorms(products, start, 'l2', { steps: 1000, tolerance: 0 });
  start.dispose();
  return Array.from(norms, (norm) => norm * norm);
}

function atPoints<T>(input: Fields, use: (...here: Here) => T): T {
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

import { keyed } from '../../flow/seed.js';
import type { Model, Weights } from '../../learn/model/model-model.js';
import { lipschitz } from '../../measure/certificate/certificate-lipschitz.js';
import { marginsOf, readoutOf } from '../../measure/certificate/certificate-margins.js';
import { jacobianNorms } from '../../measure/geometry/jacobian-norm.js';
import { productsOf } from '../../measure/geometry/products.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { taken, type VectorKind } from './kind.js';
import { withNetwork } from './network.js';

/** Lemma 1 with biases (A.1), in ℓ2: the features, their Jacobian's norm, and what stands between a sample and each wrong class. */
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

function margins(input: Fields, of: (margin: Margin, L: number) => number): number[] {
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

function atSample<T>(input: Fields, use: (model: Model, weights: Weights, x: tf.Tensor2D) => T): T {
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

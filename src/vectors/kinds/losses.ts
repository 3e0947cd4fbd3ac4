import { WeirError } from '../../flow/errors.js';
import { barlowTwins, ntXent } from '../../learn/loss/views.js';
import { hostDesign } from '../../measure/readout/design.js';
import { type Logistic, logistic, softmaxLoss } from '../../measure/readout/logistic.js';
import { tf } from '../../tensorflow/tf.js';
import { once, taken, upload, type VectorFields, type VectorKind } from '../vector-file.js';

/**
 * Multinomial logistic regression. Classes are the labels that occur, in order, as in scikit-learn.
 *
 * Where two classes are expected to have one row of coefficients, it is scikit-learn's binary regression, whose regularizer is on the
 * difference of the two rows: that is a softmax with half of C.
 */
export const logisticReadout: VectorKind = {
  kind: 'logistic-readout',
  compute(input, expected) {
    const solved = once(() => fitted(input, expected));
    return {
      coefficients: () => solved().coefficients,
      centredIntercepts: () => solved().centeredIntercepts,
      probabilities: () => solved().probabilities,
    };
  },
};

function fitted(input: VectorFields, expected: VectorFields) {
  const { shape, data } = input.tensor('features', 2);
  const [samples, width] = shape as [number, number];
  const features = Float64Array.from(data);
  const odd = features.findIndex((value) => !Number.isFinite(value));
  if (odd !== -1) throw new WeirError(`feature ${odd} is ${features[odd]}`, 'give finite numbers');
  const given = input.numbers('labels');
  const names = [...new Set(given)].sort((a, b) => a - b);
  const labels = given.map((label) => names.indexOf(label));
  const classes = names.length;
  const binary = classes === 2 && expected.has('coefficients') && expected.tensor('coefficients').shape[0] === 1;
  const C = input.has('inverseRegularisation') ? input.number('inverseRegularisation') : 1;

  const design = hostDesign(features, samples, width);
  const fit = logistic(design, labels, classes, { inverseRegularization: binary ? C / 2 : C, tolerance: 1e-9 });
  let at = finish(fit.start());
  while (at.ended === 'no') at = finish(fit.next(at));
  const readout = fit.fitted(at);
  const probabilities = new Float64Array(samples * classes);
  finish(
    design.pass(readout.coefficients, (rows, first) =>
      probabilities.set(softmax(rows, readout, labels, first), first * classes),
    ),
  );
  fit.dispose();
  if (!binary) return { coefficients: readout.coefficients, centeredIntercepts: readout.intercepts, probabilities };
  const difference = readout.coefficients.slice(width).map((w, i) => w - readout.coefficients[i]!);
  return { coefficients: difference, centeredIntercepts: new Float64Array(1), probabilities };
}

function softmax(rows: Float64Array, { intercepts }: Logistic, labels: readonly number[], first: number): Float64Array {
  softmaxLoss(rows, intercepts, labels, first);
  const classes = intercepts.length;
  for (let n = first, at = 0; at < rows.length; n++, at += classes) rows[at + labels[n]!]! += 1;
  return rows;
}

function finish<T>(work: Generator<void, T>): T {
  for (;;) {
    const slice = work.next();
    if (slice.done) return slice.value;
  }
}

/** The Barlow Twins loss of two views and its gradients. */
export const barlowTwinsLoss: VectorKind = {
  kind: 'barlow-twins',
  compute(input) {
    const made = once(() => computedBarlowTwins(input));
    return { loss: () => made().loss, gradZ1: () => made().gradient[0]!, gradZ2: () => made().gradient[1]! };
  },
};

function computedBarlowTwins(input: VectorFields) {
  const [z1, z2] = [input.tensor('z1', 2), input.tensor('z2', 2)];
  if (`${z1.shape}` !== `${z2.shape}`) {
    throw new WeirError(
      `'z1' is [${z1.shape.join(', ')}] and 'z2' is [${z2.shape.join(', ')}]`,
      'give two views of one shape',
    );
  }
  const options = {
    ...(input.has('lambda') && { lambda: input.number('lambda') }),
    ...(input.has('epsilon') && { epsilon: input.number('epsilon') }),
  };
  const views = tf.tidy(() => tf.concat([upload(z1), upload(z2)])) as tf.Tensor2D;
  const { value, gradient } = barlowTwins(options).of(views);
  const both = taken(gradient);
  const half = both.length / 2;
  return { loss: taken(value)[0]!, gradient: [both.subarray(0, half), both.subarray(half)] };
}

/** SimCLR's loss over the projections of two views, and its gradient. */
export const ntXentLoss: VectorKind = {
  kind: 'nt-xent',
  compute(input) {
    const made = once(() => computedNtXent(input));
    return { loss: () => made().loss, gradient: () => made().gradient };
  },
};

function computedNtXent(input: VectorFields) {
  const projections = input.tensor('projections', 2);
  const images = input.has('images') ? input.count('images') : projections.shape[0]! / 2;
  if (projections.shape[0] !== 2 * images) {
    throw new WeirError(
      `there are ${projections.shape[0]} projections of ${images} images`,
      'give two for each: the first views, then the second ones',
    );
  }
  const loss = ntXent(input.has('temperature') ? { temperature: input.number('temperature') } : {});
  const { value, gradient, correct } = loss.of(upload(projections) as tf.Tensor2D);
  correct?.dispose();
  return { loss: taken(value)[0]!, gradient: taken(gradient) };
}

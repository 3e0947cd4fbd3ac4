import { WeirError } from '../../flow/errors.js';
import { hostDesign } from '../../measure/readout/design.js';
import { type Logistic, logistic, softmaxLoss } from '../../measure/readout/logistic.js';
import type { VectorFields } from '../vector-file.js';
import type { VectorKind } from './kind.js';

/**
 * Multinomial logistic regression. Classes are the labels that occur, in order, as in scikit-learn.
 *
 * Where two classes are expected to have one row of coefficients, it is scikit-learn's binary regression, whose regularizer is on the
 * difference of the two rows: that is a softmax with half of C.
 */
export const logisticReadout: VectorKind = {
  kind: 'logistic-readout',
  compute(input, expected) {
    let made: ReturnType<typeof fitted> | undefined;
    const once = () => (made ??= fitted(input, expected));
    return {
      coefficients: () => once().coefficients,
      centredIntercepts: () => once().centeredIntercepts,
      probabilities: () => once().probabilities,
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

import { WeirError } from '../flow/errors.js';
import { featuresOf } from './arrays.js';
import { type Box, type Dataset, sharedFloats } from './dataset.js';
import { checkSamples } from './sample-check.js';

/**
 * Data sets whose features have mean 0 and deviation 1 over the training part: (x − mean) / deviation, with the numbers of `train` for
 * all. A feature is a value of a vector, or a channel of an image (of bytes, from 0 to 1).
 *
 * The deviation is that of the population, as scikit-learn's `StandardScaler` has it; where it is 0 it counts as 1, so
 * a constant feature becomes 0 exactly. The box of each data
 * set is standardized along, so an attack stays where the data may be, and its distances are in deviations. The numbers go with the
 * network (`normalization` in its exported weights).
 *
 * @param others data sets of the same shape: for validation, for testing
 * @returns `train` and the others, in this order
 * @throws {WeirError} for another shape, and for data that are standardized already
 * @example const [train, test] = standardized(parts.train, parts.test);
 */
export function standardized<Others extends readonly Dataset[]>(
  train: Dataset,
  ...others: Others
): [train: Dataset, ...others: { [K in keyof Others]: Dataset }] {
  const all = [train, ...others];
  for (const one of all) check(one, train);
  const numbers = numbersOf(train);
  return all.map((one) => moved(one, numbers)) as [Dataset, ...{ [K in keyof Others]: Dataset }];
}

interface Numbers {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

function check(given: Dataset, train: Dataset): void {
  const { name, sampleShape, normalization } = given;
  if (sampleShape.join() !== train.sampleShape.join()) {
    throw new WeirError(
      `'${name}' has samples of shape [${sampleShape.join(', ')}], and '${train.name}' of [${train.sampleShape.join(', ')}]`,
      'standardize data of one shape together',
    );
  }
  if (normalization !== undefined) {
    throw new WeirError(`'${name}' is standardized already`, 'standardize the data as they were read, once');
  }
  checkSamples(given);
}

const scaleOf = ({ values }: Dataset): number => (values instanceof Uint8Array ? 255 : 1);

function numbersOf(train: Dataset): Numbers {
  const { values, sampleShape } = train;
  const count = featuresOf(sampleShape);
  const samples = values.length / count;
  const scale = scaleOf(train);
  const mean = new Array<number>(count).fill(0);
  const squares = new Array<number>(count).fill(0);
  const constant = new Array<boolean>(count).fill(true);
  for (let i = 0; i < values.length; i++) {
    mean[i % count]! += values[i]! / scale / samples;
    if (values[i] !== values[i % count]) constant[i % count] = false;
  }
  // A sum of equal values is rounded, so that of a constant feature is not taken: it must become 0, and not 4e-17.
  for (let feature = 0; feature < count; feature++) if (constant[feature]) mean[feature] = values[feature]! / scale;
  for (let i = 0; i < values.length; i++) squares[i % count]! += (values[i]! / scale - mean[i % count]!) ** 2 / samples;
  return { mean, std: squares.map((square, feature) => (constant[feature] ? 1 : Math.sqrt(square))) };
}

function moved(given: Dataset, { mean, std }: Numbers): Dataset {
  const { values, box } = given;
  const count = mean.length;
  const scale = scaleOf(given);
  const own = sharedFloats(values.length);
  for (let i = 0; i < values.length; i++) own[i] = (values[i]! / scale - mean[i % count]!) / std[i % count]!;
  const bound = (key: keyof Box): number[] => {
    const bounds = [(box ?? { min: 0, max: 1 })[key]].flat();
    return mean.map((m, feature) => Math.fround((bounds[feature % bounds.length]! - m) / std[feature]!));
  };
  const known = box !== undefined || values instanceof Uint8Array;
  return {
    ...given,
    values: own,
    normalization: { mean, std },
    ...(known && { box: { min: bound('min'), max: bound('max') } }),
  };
}

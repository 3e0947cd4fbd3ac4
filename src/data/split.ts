import { WeirError } from '../flow/errors.js';
import { keyed } from '../flow/seed.js';
import { type Dataset, sampleLength, sharedBytes, sharedFloats } from './feed-dataset.js';
import { sharedLabels } from './labels.js';

/**
 * Splits a dataset by seed into train and test, with each class in both in its proportion (to within one sample).
 *
 * Both parts keep the dataset's order.
 */
export function split(
  dataset: Dataset,
  { seed, testSize }: { seed: number; testSize: number },
): { train: Dataset; test: Dataset } {
  if (!Number.isInteger(testSize) || testSize < 1 || testSize >= dataset.size) {
    throw new WeirError(
      `testSize is ${testSize}, but '${dataset.name}' has ${dataset.size} samples to split`,
      `give a whole number from 1 to ${dataset.size - 1}`,
    );
  }
  const held = new Uint8Array(dataset.size);
  let seen = 0;
  let taken = 0;
  dataset.classes.forEach((_, label) => {
    const members: number[] = [];
    for (let i = 0; i < dataset.size; i++) if (dataset.labels[i] === label) members.push(i);
    seen += members.length;
    const count = Math.round((testSize * seen) / dataset.size) - taken; // rounding the running total, so that all add up
    taken += count;
    const random = keyed(seed, 'split', label);
    for (let i = 0; i < count; i++) {
      const j = i + random.integer(members.length - i);
      held[members[j]!] = 1;
      members[j] = members[i]!;
    }
  });
  return { train: subset(dataset, 'train', held, 0), test: subset(dataset, 'test', held, 1) };
}

function subset(dataset: Dataset, part: string, held: Uint8Array, wanted: number): Dataset {
  const length = sampleLength(dataset);
  const size = held.reduce((count, flag) => count + Number(flag === wanted), 0);
  const values = dataset.values instanceof Uint8Array ? sharedBytes(size * length) : sharedFloats(size * length);
  const labels = sharedLabels(dataset.classes.length, size);
  let to = 0;
  for (let from = 0; from < dataset.size; from++) {
    if (held[from] !== wanted) continue;
    values.set(dataset.values.subarray(from * length, (from + 1) * length), to * length);
    labels[to++] = dataset.labels[from]!;
  }
  return { ...dataset, name: `${dataset.name}/${part}`, size, values, labels };
}

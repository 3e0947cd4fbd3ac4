import { expect, test } from 'vitest';
import { linear } from '../../src/learn/model/linear.js';
import { byName, type LabeledSamples } from '../../src/measure/inputs.js';

const model = linear([1, 3]);
const samples = (labels: number[], classes?: string[]): LabeledSamples => ({
  name: 'val',
  size: labels.length,
  sampleShape: [1],
  values: new Float32Array(labels.length),
  classes,
  labels: Uint8Array.from(labels),
});
const header = (...names: string[]) => [{ classes: { of: 'train', names } }];

test('labels go by the names of the network’s classes once it is known, and again where another one comes', () => {
  const found = byName('accuracy', model, samples([0, 1, 1], ['cat', 'ant']));
  expect([...found.labels]).toEqual([0, 1, 1]);
  expect(found.introduce(header('ant', 'bee', 'cat'))).toEqual(header('ant', 'bee', 'cat'));
  expect([...found.labels]).toEqual([2, 0, 0]);
  found.introduce(header('cat', 'ant'));
  expect([...found.labels]).toEqual([0, 1, 1]);
});

test('a class that the network does not know is refused by name', () => {
  const found = byName('accuracy', model, samples([0, 1], ['cat', 'zebra']));
  expect(() => found.introduce(header('ant', 'cat'))).toThrow(
    "class 'zebra' of 'val' (1 sample) is none of the classes of 'train': ant, cat",
  );
});

test('where names are not known a label is the number of an output, and one without is refused', () => {
  const plain = byName('accuracy', model, samples([0, 2]));
  plain.introduce(header('ant', 'bee'));
  expect([...plain.labels]).toEqual([0, 2]);
  const odd = byName('accuracy', model, samples([0, 3], ['a', 'b', 'c', 'd']));
  const message = `stage 'accuracy': sample 1 of 'val' has label 3, but ${model.name} has 3 outputs`;
  expect(() => odd.introduce([])).toThrow(message);
  expect(() => odd.labels).toThrow(message);
});

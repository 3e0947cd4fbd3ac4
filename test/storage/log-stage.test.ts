import { from } from 'rxjs';
import { expect, test } from 'vitest';
import { stage } from '../../src/flow/stage.js';
import { logStage } from '../../src/storage/log-stage.js';
import type { StreamRecord } from '../../src/storage/metric-reader.js';
import {
  category,
  key,
  mismatchOf,
  numbersOf,
  quantities,
  quantity,
  type RecordSchema,
  record,
  z,
} from '../../src/storage/record.js';

const schema = record({
  name: 'FGSM',
  role: 'attack',
  total: 'total',
  fields: {
    index: key(z.int()),
    outcome: category(['found', 'failed']),
    distance: quantity(),
    bounds: quantities().optional(),
    total: z.int(),
  },
});
const good = { position: 4, number: 1, epoch: 1, index: 0, outcome: 'found', distance: 0.5, total: 2 };

/** The lines that are written of an item, or the message of the error that ends the stream. */
function logged(item: object, declared: RecordSchema | null = schema): StreamRecord[] | string {
  const lines: StreamRecord[] = [];
  const log = logStage(
    'net',
    'fgsm',
    (line) => lines.push(line),
    () => declared ?? undefined,
  );
  let message: string | undefined;
  from([{ position: 0, ...item }])
    .pipe(stage(log))
    .subscribe({
      error: (error: Error) => {
        message = error.message;
      },
    });
  return message ?? lines;
}

test('a record that matches its schema is logged, NaN and the infinities as numbers, optional fields or none', () => {
  for (const distance of [0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const item = { ...good, distance, index: Number.NaN };
    expect(logged(item)).toEqual([{ ...item, network: 'net', stream: 'fgsm' }]);
  }
  expect(logged({ ...good, bounds: { l2: Number.NaN }, undeclared: 'x', none: undefined })).toHaveLength(1);
});

test('a key is declared in the schema, whatever its name, and is no number that is measured', () => {
  const { description } = record({
    name: 'patches',
    role: 'measurement',
    fields: {
      patch: key(z.int()),
      layer: key(z.int()).optional(),
      parts: key(z.object({ a: z.int() })),
      size: z.int(),
    },
  });
  expect(description.fields).toMatchObject({
    patch: { type: 'number', key: true },
    layer: { type: 'number', key: true },
    parts: { type: 'other', key: true },
  });
  const stored = JSON.parse(JSON.stringify(description)); // as streams.json has it
  const line = { number: 1, patch: 3, layer: 2, parts: { a: 1 }, size: 4, label: 7 };
  expect([...numbersOf(stored, line)].map(({ field }) => field)).toEqual(['size', 'label']);
});

test.each([
  [{ distance: 'far' }, "field 'distance' is far (string), expected type number"],
  [{ distance: undefined }, "field 'distance' is missing, expected type number"],
  [{ distance: null }, "field 'distance' is null, expected type number"],
  [{ outcome: 'lost' }, "field 'outcome' is lost (string), expected one of found, failed"],
  [{ index: 1.5 }, "field 'index' is 1.5 (number), expected type int"],
  [{ bounds: { l2: '1' } }, "field 'bounds.l2' is 1 (string), expected type number"],
  [{ epoch: '1' }, "field 'epoch' is 1 (string), expected type number"],
  [{ total: -1 }, "field 'total', its total, is -1 (number), expected a whole number from 0 on"],
  [{ total: Number.NaN }, "field 'total', its total, is NaN (number), expected a whole number from 0 on"],
  [{ total: 2.5 }, "field 'total', its total, is 2.5 (number), expected a whole number from 0 on"],
])('%o ends the stream', (wrong, message) => {
  expect(logged({ ...good, ...wrong })).toBe(`a record of stream 'fgsm' does not match its schema: ${message}`);
  expect(logged(wrong, null), 'without a schema').toHaveLength(1);
});

const tensor = { dataId: {}, shape: [1], dtype: 'float32' };
test.each([
  ['a bigint in', { size: 3n }, 'size'],
  ['a bigint in', { size: () => 3n }, 'size'],
  ['a tensor in', { size: tensor }, 'size'],
  ['a tensor in', { of: { size: tensor } }, 'of.size'],
  ['undefined in', { of: { size: undefined } }, 'of.size'],
  ['undefined in', { of: [1, undefined] }, 'of.1'],
  ['a Date in', { at: new Date(0) }, 'at'],
  ['a Map in', { by: new Map([['a', 1]]) }, 'by'],
])('%s %o is an error and not left out', (words, wrong, path) => {
  expect(logged(wrong, null)).toBe(`an item of stream 'fgsm' has ${words} '${path}', which the metric log cannot hold`);
});

test('weights, functions with arguments and large arrays are left out, small arrays and numbers that are asked for are kept', () => {
  const item = {
    weights: new Map([['w', tensor]]),
    of: (x: number) => x,
    spectrum: { hidden1: { sigma: 1, u: new Float32Array(1) } },
    loss: () => 2,
    picture: Float32Array.of(1),
    large: new Float32Array(200_001),
  };
  expect(logged(item, null)).toEqual([
    { position: 0, loss: 2, picture: { float32: 'AACAPw==' }, network: 'net', stream: 'fgsm' },
  ]);
});

test('names of the log’s own are refused, in a schema and in an item; a network may be named', () => {
  for (const field of ['wall', 'stream', 'network']) {
    const declare = () => record({ name: 'mine', role: 'measurement', fields: { [field]: quantity() } });
    expect(declare).toThrow(`the record 'mine' declares a field '${field}', which the metric log writes itself`);
    expect(logged({ [field]: 1 }, null)).toContain(`has a field '${field}', which the metric log writes itself`);
  }
  expect(logged({ network: 'other' }, null)).toMatchObject([{ network: 'other' }]);
});

test('a total is a whole number from 0 on, in the schema too', () => {
  for (const total of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => record({ name: 'mine', role: 'attack', total, fields: {} })).toThrow(`has a total of ${total}`);
  }
  expect(mismatchOf(record({ name: 'mine', role: 'attack', total: 0, fields: {} }), {})).toBeUndefined();
});

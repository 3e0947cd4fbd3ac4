import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportTensorBoard } from '../../src/export/tensorboard.js';
import { tickRecord } from '../../src/learn/spectral/stages.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';
import { call as weir } from '../cli/weir.js';
import { begun, createdAt, madeUpRun, records, streams } from './made-up-run.js';
import { inside, number, readEvents, text } from './read-events.js';

const base = mkdtempSync(join(tmpdir(), 'weir-tensorboard-'));
afterAll(() => rmSync(base, { recursive: true }));
const board = join(base, 'board');
const name = `events.out.tfevents.${begun}.weir`;
const config = { rate: 0.1, protocol: 'paper', hidden: [4, 5], fast: true };
const run = { started: { pipeline: 'made-up', createdAt, config }, streams };

beforeAll(async () => {
  const { status, out, err } = await weir('export', madeUpRun(join(base, 'run')), board, '--tensorboard');
  expect([status, err]).toEqual([0, '']);
  expect(out.trim().split('\n')).toEqual([
    `22 records of 2 networks; show them with \`tensorboard --logdir ${board}\``,
    board,
  ]);
});

test('scalars, histograms, pictures and hyperparameters come back from the files', () => {
  expect(readdirSync(board, { recursive: true }).sort()).toEqual(
    ['none', `none/${name}`, name, 'rep-spectral', `rep-spectral/${name}`].sort(),
  );
  const events = readEvents(join(board, 'rep-spectral', name));
  expect([number(events[0], 1), text(events[0], 3)]).toEqual([begun, 'brain.Event:2']);
  const values = events
    .slice(1)
    .flatMap((event) =>
      inside(event, 5, 1).map((value) => ({
        step: number(event, 2),
        time: number(event, 1) - begun,
        tag: text(value, 1),
        value,
      })),
    );
  const scalars = values
    .filter(({ value }) => value.has(2))
    .map(({ step, time, tag, value }) => [tag, step, time, number(value, 2)]);
  expect(scalars).toEqual([
    ['sigmas/sigma.hidden1', 0, 0, 1],
    ['sigmas/sigma.readout', 0, 0, 2],
    ['updates/loss', 1, 1, Math.fround(1 / 3)],
    ['sigmas/sigma.hidden1', 1, 1, 2],
    ['sigmas/sigma.readout', 1, 1, 2],
    ['updates/loss', 2, 2, 0.25],
    ['sigmas/sigma.hidden1', 2, 2, 3],
    ['sigmas/sigma.readout', 2, 2, 2],
    ['tests/accuracy', 2, 2.5, 0.75],
    ['tests/loss', 2, 2.5, Math.fround(0.7)],
    ['attacks/outcome (found)', 2, 5, 3],
    ['attacks/distance (mean)', 2, 5, 2],
  ]);
  const [histogram, ...otherHistograms] = values.filter(({ value }) => value.has(5));
  expect([histogram!.tag, otherHistograms]).toEqual(['attacks/distance', []]);
  const pictures = values.filter(({ value }) => value.has(4));
  expect(pictures.map(({ tag, step }) => [tag, step])).toEqual([
    ['attacks/sample 10, 1 as 0', 2],
    ['attacks/sample 11, 1 as 0', 2],
  ]);
  const [picture] = inside(pictures[0]!.value, 4);
  expect([number(picture, 1), number(picture, 2), number(picture, 3)]).toEqual([2, 8, 3]);
  expect((picture!.get(4)![0] as Buffer).subarray(1, 4).toString()).toBe('PNG');
  const [start] = values.filter(({ tag }) => tag === '_hparams_/session_start_info');
  const [hparams] = inside(start!.value, 9, 1, 2, 3);
  expect((hparams!.get(1) as Buffer[]).length).toBe(6);
  expect(text(hparams, 4)).toBe('rep-spectral');
});

test('every number of a record is exported, declared to be drawn or not, but those that measure nothing', () => {
  const folder = join(base, 'every');
  const network = { network: 'none', number: 2, epoch: 2, position: 16 };
  const attacked = { index: 1, label: 0, predicted: 0, adversarialLabel: 1, outcome: 'found', distance: 1, total: 2 };
  const log = [
    ...[5, 7].map((queries) => ({
      ...{ ...network, stream: 'attacks', ...attacked, queries, iterations: 20, box: { min: 0, max: 1 } },
    })),
    { ...network, stream: 'sigmas', sigma: { hidden1: 1 }, bounds: { hidden1: 3 }, estimates: ['readout'] },
    {
      ...network,
      stream: 'ticks',
      loss: 1,
      rate: 0.5,
      epochLoss: 2,
      epochAccuracy: 0.75,
      updatesInEpoch: 4,
      regularizer: 'x',
    },
  ];
  const ticks = { ...streams, ticks: tickRecord.description };
  exportTensorBoard(folder, { ...run, streams: ticks }, log as never, false);
  const events = readEvents(join(folder, 'none', name));
  const values = events.flatMap((event) => inside(event, 5, 1));
  const tags = (field: number) => values.filter((value) => value.has(field)).map((value) => text(value, 1));
  expect(tags(5)).toEqual(['attacks/distance', 'attacks/queries', 'attacks/iterations']);
  expect(tags(2).sort()).toEqual(
    [
      ...['attacks/distance (mean)', 'attacks/queries (mean)', 'attacks/iterations (mean)', 'attacks/outcome (found)'],
      ...['sigmas/sigma.hidden1', 'sigmas/bounds.hidden1'],
      ...['ticks/loss', 'ticks/rate', 'ticks/epochLoss', 'ticks/epochAccuracy'],
    ].sort(),
  );
  expect(
    number(
      values.find((value) => text(value, 1) === 'attacks/queries (mean)'),
      2,
    ),
  ).toBe(6);
});

test('exported again, it takes the earlier one’s place, byte by byte', () => {
  const before = readFileSync(join(board, 'none', name));
  exportTensorBoard(board, run, records, false);
  expect(readFileSync(join(board, 'none', name)).equals(before)).toBe(true);
  expect(readdirSync(join(board, 'none'))).toEqual([name]);
});

test('an error halfway leaves the earlier files, and no halves', () => {
  function* failing() {
    yield* records.slice(0, 5);
    throw new Error('line 6 is no record');
  }
  const before = readFileSync(join(board, 'none', name));
  expect(() => exportTensorBoard(board, run, failing(), false)).toThrow('line 6');
  expect(readFileSync(join(board, 'none', name)).equals(before)).toBe(true);
  expect(readdirSync(join(board, 'none'))).toEqual([name]);
});

test('a network’s name does not lead out of the folder, and where nothing can be written it says so', () => {
  const inner = join(base, 'deep', 'inner');
  exportTensorBoard(inner, run, [{ network: '../../up', stream: 'updates', number: 1, loss: 2 }], false);
  expect(readdirSync(inner).sort()).toEqual(['--..-up', name].sort());
  expect(existsSync(join(base, 'up'))).toBe(false);
  expect(() => exportTensorBoard(join(board, name), run, records, false)).toThrow(/^cannot make .*none/);
});

test('options that do not go together are refused', async () => {
  const run = join(base, 'run');
  const refused = async (...args: string[]) => (await weir('export', run, ...args)).err;
  expect(await refused('x', '--tensorboard', '--network', 'none')).toContain('--tensorboard takes all networks');
  expect(await refused('x', '--stream', 'updates')).toContain('--stream is for CSV, Parquet and .npz alone');
});

function hasTensorBoard(): boolean {
  try {
    execFileSync(process.env.WEIR_PYTHON!, ['-c', 'import tensorboard'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const python = process.env.WEIR_PYTHON && hasTensorBoard();

test.skipIf(!python)('TensorBoard itself reads the same (WEIR_PYTHON with tensorboard)', () => {
  const script = join(import.meta.dirname, 'read_board.py');
  const read = JSON.parse(
    execFileSync(process.env.WEIR_PYTHON!, [script, board], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  expect(read.scalars['rep-spectral:updates/loss']).toEqual(
    [0, 1, 2].map((i) => [i, begun + i, Math.fround(1 / (i + 2))]),
  );
  expect(read.scalars['none:sigmas/sigma.hidden1'].map(([, , value]: number[]) => value)).toEqual([0, 1, 2]);
  expect(read.scalars['none:tests/accuracy']).toEqual([[2, begun + 2.5, 0.5]]);
  const [[step, buckets]] = read.histograms['rep-spectral:attacks/distance'];
  expect([step, buckets.length]).toEqual([2, 30]);
  expect([buckets[0][0], buckets[29][1]]).toEqual([1, 3]);
  expect(buckets.map(([, , count]: number[]) => count).filter((count: number) => count > 0)).toEqual([1, 1, 1]);
  expect(read.images['none:attacks/sample 10, 1 as 0']).toEqual([8, 2, ['89504e470d0a1a0a']]);
  expect(read.hparams).toEqual({ rate: 3, protocol: 1, hidden: 1, fast: 2, regularizer: 1, seed: 3 });
  expect(read.sessions.find((one: { name: string }) => one.name === 'rep-spectral')).toEqual({
    name: 'rep-spectral',
    status: 3, // under way: it has no last snapshot
    hparams: { rate: 0.1, protocol: 'paper', hidden: '4,5', fast: true, regularizer: 'rep-spectral', seed: 3 },
    metrics: {
      'tests/accuracy': 0.75,
      'sigmas/sigma.hidden1': 3,
      'sigmas/sigma.readout': 2,
      'attacks/distance (mean)': 2,
    },
  });
});

test('NaN and infinities are scalars like others; of samples the finite ones are drawn, and the rest counted', () => {
  const at = { network: 'none', number: 1, epoch: 1 };
  const sample = { ...at, stream: 'attacks', outcome: 'found', box: { min: 0, max: 1 }, total: 4 };
  const odd = join(base, 'odd');
  const log: MetricRecord[] = [
    { ...at, stream: 'tests', loss: Number.NaN, accuracy: 0.5 },
    { ...at, stream: 'bounds', upper: Number.POSITIVE_INFINITY, lower: Number.NEGATIVE_INFINITY },
    ...[1, Number.NaN, 3, Number.POSITIVE_INFINITY].map((distance, index) => ({
      ...sample,
      index,
      distance,
      theta: Number.NaN,
    })),
  ];
  exportTensorBoard(odd, run, log, false);
  const values = readEvents(join(odd, 'none', name)).flatMap((event) => inside(event, 5, 1));
  const scalars = values.filter((value) => value.has(2)).map((value) => [text(value, 1), number(value, 2)]);
  expect(scalars).toEqual([
    ['tests/loss', Number.NaN],
    ['tests/accuracy', 0.5],
    ['bounds/upper', Number.POSITIVE_INFINITY],
    ['bounds/lower', Number.NEGATIVE_INFINITY],
    ['attacks/outcome (found)', 4],
    ['attacks/distance (mean)', 2],
    ['attacks/distance (not finite)', 2],
    ['attacks/theta (mean)', Number.NaN],
    ['attacks/theta (not finite)', 4],
  ]);
  expect(values.filter((value) => value.has(5)).map((value) => text(value, 1))).toEqual(['attacks/distance']);
});

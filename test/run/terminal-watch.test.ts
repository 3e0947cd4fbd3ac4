import { afterEach, expect, test, vi } from 'vitest';
import type { Flow } from '../../src/flow/flow.js';
import type { Network, Pipeline } from '../../src/run/pipeline.js';
import { TerminalWatch } from '../../src/run/terminal-watch.js';
import { quantities, quantity, record, z } from '../../src/storage/record.js';
import type { RunFolder } from '../../src/storage/run-folder.js';

afterEach(() => void vi.restoreAllMocks());

const branch = { of: 'none', epoch: 3 };
const snapshot = { path: '000001-200.snapshot', sequence: 1, label: '200', pinned: false };

/** The line about a network that begins with the weights of this update. */
function said(about: Partial<Network>, update: number | undefined, snapshots: readonly (typeof snapshot)[]): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text).trimEnd()) > 0);
  const started = { networks: [{ name: 'rep-spectral', epochs: 6 }] };
  const folder = { started, streams: {}, snapshots: () => ({ list: () => snapshots }) };
  const watcher = new TerminalWatch(folder as unknown as RunFolder, { name: 'mnist' } as Pipeline);
  const network = { name: 'rep-spectral', regularizer: 'rep-spectral', seed: 0, ...about } as Network;
  watcher.network(network, 1, 2, { nodes: [] } as unknown as Flow, update);
  watcher.close();
  return lines;
}

test('a network’s first lines say where it begins', () => {
  expect(said({}, undefined, [])).toEqual(['mnist: rep-spectral (2 of 2) · training · epoch 0/6 · update 0']);
  expect(said({ branch }, 189, [])).toEqual([
    'rep-spectral: branches off none after epoch 3',
    'mnist: rep-spectral (2 of 2) · training · epoch 3/6 · update 189',
  ]);
  expect(said({ branch }, 200, [snapshot])).toEqual([
    'rep-spectral: going on after update 200',
    'mnist: rep-spectral (2 of 2) · training · epoch –/6 · update 200',
  ]);
});

const attack = record({
  name: 'FGSM',
  role: 'attack',
  total: 'total',
  fields: { distance: quantity({ label: 'Δx', headline: true }), total: z.int() },
}).description;
const accuracy = record({
  name: 'accuracy',
  role: 'test',
  fields: { accuracy: quantity({ unit: 'fraction', headline: true }), loss: quantity() },
}).description;
const streams = {
  attacks: attack,
  readoutAttacks: attack,
  updates: record({
    name: 'training',
    role: 'training',
    fields: { epochLoss: quantity({ label: 'loss', headline: true }) },
  }).description,
  validations: accuracy,
  tests: accuracy,
  sigmas: record({ name: 'σ', role: 'spectrum', fields: { sigma: quantities({ label: 'σ', headline: true }) } })
    .description,
};

/** The last view in words after these records. */
function after(records: readonly object[], about: Partial<Network> = {}): string {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text).trimEnd()) > 0);
  const started = { networks: ['none', 'xor'].map((name) => ({ name, epochs: 10 })) };
  const folder = { started, streams, snapshots: () => ({ list: () => [] }) };
  const watcher = new TerminalWatch(folder as unknown as RunFolder, { name: 'mnist' } as Pipeline);
  const network = { name: 'none', regularizer: 'none', seed: 0, ...about } as Network;
  watcher.network(network, 0, 1, { nodes: [] } as unknown as Flow, undefined);
  for (const record of records) watcher.record({ network: 'none', ...record } as never);
  watcher.close();
  return lines.at(-1)!;
}

const update = { stream: 'updates', number: 17, epoch: 4, endsEpoch: false };
const result = { number: 50, epoch: 10, total: 3 };

test('how many updates there will be is known in the middle of the first epoch, where an update tells', () => {
  expect(after([{ ...update, number: 3, epoch: 1, updatesInEpoch: 5 }])).toContain('update 3/50');
  expect(after([{ ...update, number: 3, epoch: 1 }])).toMatch(/update 3$/);
});

test('the headlines of every stream are shown, by the schema of its record', () => {
  const last = after([
    { ...update, epochLoss: 0.25 },
    { stream: 'tests', number: 17, accuracy: 0.5, loss: 3 },
    { stream: 'sigmas', number: 17, sigma: { hidden: 2, readout: 4 } },
    { stream: 'unknown', number: 17, accuracy: 0.75 },
  ]);
  expect(last).toContain('loss 0.250 · test accuracy 50.0 % · σ hidden 2.00, readout 4.00');
  expect(last).not.toContain('75');
});

test('accuracies of other streams than tests go by the names of those', () => {
  const accuracy = (stream: string, accuracy: number) => ({ stream, number: 17, accuracy, loss: 3 });
  expect(after([accuracy('validations', 0.25), accuracy('tests', 0.5)])).toContain(
    'accuracy of validations 25.0 % · test accuracy 50.0 %',
  );
});

test('an attack shows how many samples it takes, whatever was asked for; two of them are not mixed', () => {
  const first = [1, 3].map((distance) => ({ ...result, stream: 'attacks', distance }));
  expect(after(first)).toContain('2/3 samples · mean Δx 2.00');
  const second = [5, 6].map((distance) => ({ ...result, stream: 'readoutAttacks', distance }));
  expect(after([...first, ...second])).toContain('2/3 samples · mean Δx 5.50');
  expect(after([...first, { ...result, stream: 'attacks', number: 60, distance: 9 }])).toContain(
    '1/3 samples · mean Δx 9.00',
  );
  expect(after([...first, { ...result, stream: 'attacks', distance: Number.NaN }])).toContain(
    '3/3 samples · mean Δx 2.00 (2 of 3)',
  );
});

test('of an ensemble the samples of all members count, and the mean is that of one', () => {
  const members = [{ name: 'none' }, { name: 'rep' }] as unknown as Network['members'];
  const lines = ['none', 'none', 'none', 'rep'].map((network, i) => ({
    ...result,
    network,
    stream: 'attacks',
    distance: i,
  }));
  expect(after(lines, { name: 'xor', ...(members && { members }) })).toContain('4/6 samples · mean Δx 3.00');
});

test('when training goes on after an attack, it is shown again', () => {
  expect(
    after([
      { ...result, number: 15, stream: 'attacks', distance: 1 },
      { ...update, updatesInEpoch: 5 },
    ]),
  ).toContain('training · epoch 4/10 · update 17/50');
});

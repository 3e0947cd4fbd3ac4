import { afterEach, expect, test, vi } from 'vitest';
import type { Flow } from '../../src/core/flow.js';
import type { RunFolder } from '../../src/run/folder.js';
import type { Network, Pipeline } from '../../src/run/pipeline.js';
import { Watcher } from '../../src/run/watcher.js';

afterEach(() => void vi.restoreAllMocks());

const branch = { of: 'none', epoch: 3 };
const snapshot = { path: '000001-200.snapshot', sequence: 1, label: '200', pinned: false };

/** What it says of a network that begins with the weights of this update. */
function said(about: Partial<Network>, update: number | undefined, snapshots: readonly (typeof snapshot)[]): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text).trimEnd()) > 0);
  const folder = { started: { config: { epochs: 6 } }, snapshots: () => ({ list: () => snapshots }) };
  const watcher = new Watcher(folder as unknown as RunFolder, { name: 'mnist' } as Pipeline);
  const network = { name: 'rep-spectral', regulariser: 'rep-spectral', seed: 0, ...about } as Network;
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

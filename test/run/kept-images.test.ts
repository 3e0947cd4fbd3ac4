import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { numpyArray } from '../../src/data/datasets/npy.js';
import type { Outcome } from '../../src/flow/flow.js';
import { resolveConfig } from '../../src/run/config.js';
import { Execution } from '../../src/run/execution.js';
import type { Pipeline } from '../../src/run/pipeline.js';
import { recordsOf } from '../../src/run/run-log.js';
import { unwatched } from '../../src/run/watch.js';
import { keptRecords } from '../../src/storage/kept-arrays.js';
import type { MetricRecord } from '../../src/storage/metric-reader.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { call } from '../cli/weir.js';
import picked from './picked-weights.js';

const base = mkdtempSync(join(tmpdir(), 'weir-kept-'));
const pipeline = picked as unknown as Pipeline;
const attacked = 16; // of which the log keeps the images of 12
beforeAll(() => loadTensorFlow());
afterAll(() => rmSync(base, { recursive: true }));

const folderOf = (name: string): RunFolder =>
  RunFolder.create(join(base, name), {
    module: 'test/run/picked-weights.ts',
    pipeline: pipeline.name,
    seed: 0,
    config: resolveConfig(pipeline.config, {}, ['epochs=2']),
    networks: [{ name: 'plain' }, { name: 'averaging' }],
  });

/** Runs on, and stops after so many attacked samples. */
function run(folder: RunFolder, results = Number.POSITIVE_INFINITY): Promise<Outcome> {
  let left = results;
  const record = ({ stream }: MetricRecord): void => {
    if (stream === 'attacks' && --left === 0) execution.requests.stop();
  };
  const options = { snapshotEvery: 60, onSnapshotError: 'stop', watch: { ...unwatched, record } } as const;
  const execution: Execution = new Execution(folder, pipeline, options);
  return execution.run();
}

async function exported(folder: RunFolder): Promise<Record<string, Uint8Array>> {
  const file = join(base, 'attacked.npz');
  const { status, err } = await call('export', folder.path, file);
  expect([status, err]).toEqual([0, '']);
  return unzipSync(readFileSync(file));
}

test('the images of all attacked samples are kept, the same where the run is stopped within the attack', async () => {
  const whole = folderOf('whole');
  expect(await run(whole)).toBe('done');
  const stopped = folderOf('stopped');
  for (const results of [3, 12, 8]) expect(await run(stopped, results)).toBe('stopped');
  const killed = join(base, 'killed');
  cpSync(stopped.path, killed, { recursive: true });
  expect(await run(RunFolder.open(killed), 2)).toBe('stopped');
  for (const part of ['arrays', 'metrics.ndjson']) {
    cpSync(join(killed, part), join(stopped.path, part), { recursive: true }); // more than the snapshot knows, as a kill leaves it
  }
  expect(await run(stopped)).toBe('done');
  for (const network of ['plain', 'averaging']) {
    const kept = [...keptRecords(whole.path, network)];
    expect(kept).toHaveLength(attacked);
    expect([...keptRecords(stopped.path, network)]).toEqual(kept);
  }

  const arrays = await exported(whole);
  expect(await exported(stopped)).toEqual(arrays);
  const lines = [...recordsOf(whole)].filter(({ stream, network }) => stream === 'attacks' && network === 'plain');
  const read = (name: string) => numpyArray(arrays[`plain/${name}.npy`]!, name);
  const found = lines.flatMap(({ outcome }, row) => (outcome === 'found' ? [row] : []));
  expect(found.length).toBeGreaterThan(12);
  expect([...read('pictured').values]).toEqual(found);
  const [original, adversarial] = [read('original'), read('adversarial')];
  expect(original.shape).toEqual([found.length, 4]);
  for (const [i, row] of found.entries()) {
    const difference = [0, 1, 2, 3].map(
      (k) => Number(adversarial.values[4 * i + k]) - Number(original.values[4 * i + k]),
    );
    expect(Math.hypot(...difference)).toBeCloseTo(Number(lines[row]!.distance), 5);
  }
});

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mlp } from '../../src/learn/model/mlp.js';
import type { Weights } from '../../src/learn/model/model.js';
import { startingFrom } from '../../src/learn/weights/pretrained.js';
import { readSafetensors } from '../../src/learn/weights/safetensors.js';
import { fromRun } from '../../src/run/weights.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { call } from '../cli/weir.js';

const small = ['profile=quick', 'hidden=16', 'epochs=3', 'burnIn=1', 'attacked=1', 'iterations=1'];
const model = mlp([784, 16, 10]);
let base: string;
let run: string;

const values = (weights: Weights) => Object.fromEntries([...weights].map(([name, x]) => [name, [...x.dataSync()]]));
const begun = (from: Parameters<typeof startingFrom>[1], options = {}) => {
  const weights = startingFrom(model, from, options).start(1);
  const found = values(weights);
  tf.dispose([...weights.values()]);
  return found;
};

/** A copy of the run that is altered. */
const altered = (name: string, alter: (folder: string) => void): string => {
  const folder = join(base, name);
  cpSync(run, folder, { recursive: true });
  alter(folder);
  return folder;
};
const snapshots = (folder: string, network: string): string[] =>
  readdirSync(join(folder, 'snapshots', network)).map((file) => join(folder, 'snapshots', network, file));

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'weir-from-run-'));
  run = join(base, 'run');
  const settings = [...small, 'regularizers=none,rep-spectral'].flatMap((setting) => ['--set', setting]);
  const { status, err } = await call('run', 'pipelines/mnist.ts', '--run', run, '--snapshot-epochs', '1', ...settings);
  expect([status, err]).toEqual([0, expect.not.stringContaining('weir:')]);
  await loadTensorFlow();
});
afterAll(() => rmSync(base, { recursive: true }));

test('a network of a run begins as its export does, to the bit; fresh and drop are by the names of Weir', async () => {
  const file = join(base, 'rep.safetensors');
  const { status, out } = await call('export', run, file, '--network', 'rep-spectral');
  expect([status, out]).toEqual([
    0,
    expect.stringMatching(/^its activation is gelu: .*\n4 tensors of 'rep-spectral' after update \d+\n/),
  ]);
  const source = fromRun(run, { network: 'rep-spectral' });
  const held = tf.memory().numTensors;
  const taken = begun(source);
  expect(tf.memory().numTensors).toBe(held);
  expect(taken).toEqual(begun(file));
  expect(taken).not.toEqual(begun(fromRun(run, { network: 'none' })));
  expect(readSafetensors(file).get('hidden1.weight')!.shape).toEqual([16, 784]);
  const other = begun(source, { fresh: ['readout'], drop: ['readout'] });
  expect(other['hidden1/kernel']).toEqual(taken['hidden1/kernel']);
  expect(other['readout/kernel']).toEqual(values(model.start(1))['readout/kernel']);
  expect(() => begun(source, { drop: ['fc'] })).toThrow(
    expect.objectContaining({
      message: `network 'rep-spectral' of ${run} has no tensor 'fc' that could be dropped`,
      remedy: 'it has hidden1/kernel, hidden1/bias, readout/kernel, readout/bias',
    }),
  );
});

test('no such run, several networks and none named, none of that name: refused when the weights are needed', () => {
  expect(() => begun(fromRun(join(base, 'none')))).toThrow(`there is no run in ${join(base, 'none')}`);
  const choices = 'name one, by --network or { network: … }: none, rep-spectral';
  expect(() => begun(fromRun(run))).toThrow(
    expect.objectContaining({ message: `the run in ${run} has several networks`, remedy: choices }),
  );
  expect(() => begun(fromRun(run, { network: 'll-spectral' }))).toThrow(
    expect.objectContaining({ message: `the run in ${run} has no network 'll-spectral'`, remedy: choices }),
  );
});

test('a network that is not finished is refused, though its export is not', async () => {
  const going = altered('going', (folder) => {
    for (const file of snapshots(folder, 'none')) if (file.endsWith('-done.snapshot')) rmSync(file);
    expect(snapshots(folder, 'none')).not.toEqual([]);
  });
  expect(() => begun(fromRun(going, { network: 'none' }))).toThrow(
    expect.objectContaining({
      message: `network 'none' of ${going} is not trained to the end`,
      remedy: `finish it with \`weir resume ${going}\``,
    }),
  );
  expect((await call('export', going, join(base, 'going.safetensors'), '--network', 'none')).status).toBe(0);
  const unbegun = altered('unbegun', (folder) => rmSync(join(folder, 'snapshots/none'), { recursive: true }));
  expect(() => begun(fromRun(unbegun, { network: 'none' }))).toThrow("'none' of");
  const { status, err } = await call('export', unbegun, join(base, 'no.safetensors'), '--network', 'none');
  expect([status, err]).toEqual([1, expect.stringContaining('has no weights of its own')]);
});

test('a run of an earlier version, which lists no networks, has those of its snapshots', () => {
  const earlier = altered('earlier', (folder) => {
    const { networks, ...config } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    expect(networks).toHaveLength(2);
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    rmSync(join(folder, 'snapshots/rep-spectral'), { recursive: true });
  });
  expect(begun(fromRun(earlier))).toEqual(begun(fromRun(run, { network: 'none' })));
  rmSync(join(earlier, 'snapshots'), { recursive: true });
  expect(() => begun(fromRun(earlier))).toThrow(`the run in ${earlier} has no snapshot yet`);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commandOf } from '../../../src/run/collect/provenance.js';
import { type RunConfig, RunFolder } from '../../../src/storage/run-folder.js';

const base = mkdtempSync(join(tmpdir(), 'weir-provenance-'));
afterAll(() => rmSync(base, { recursive: true }));

const config = { rate: 0.1, kinds: ['a', 'b'], none: [], shape: { deep: true }, name: "it's", profile: 'quick' };

function run(name: string, more: Partial<RunConfig> = {}, threads?: number): RunFolder {
  const { from, ...rest } = more;
  const started = { module: '/x/one.ts', pipeline: 'one', seed: 3, config, networks: [], ...rest };
  const folder = RunFolder.create(join(base, name), started, from && (() => from));
  if (threads === undefined) return folder;
  const identities = [{ machine: { threads } }];
  writeFileSync(join(folder.path, 'identity.json'), JSON.stringify({ format: 2, fingerprints: {}, identities }));
  return folder;
}

const all = "--set rate=0.1 --set kinds=a,b --set 'none=[]' --set 'shape={\"deep\":true}' --set 'name=it'\\''s'";

test('the command has all values of the config, the threads, and the ranks with their batch norm', () => {
  expect(commandOf(run('plain'))).toBe(`weir run one.ts --seed 3 ${all}`);
  const ranks = { count: 2, batchNorm: 'synchronized' } as const;
  expect(commandOf(run('ranks', { ranks }, 4))).toBe(
    `WEIR_THREADS=4 weir run one.ts --seed 3 --ranks 2 --batch-norm synchronized ${all}`,
  );
});

test('the command of a fork or an attack names the other run, and what differs from it', () => {
  const plain = run('source').path;
  const origin = { run: plain, createdAt: '', at: 7, config: { ...config, rate: 0.2 }, accepted: [] };
  expect(commandOf(run('fork', { origin }))).toBe(`weir fork ${plain} --at 7 --set rate=0.1`);
  const from = { run: plain, again: [], logged: { bytes: 0 }, weights: {}, accepted: [] } as unknown as NonNullable<
    RunConfig['from']
  >;
  const attack = { config: { ...config, attacked: 5 }, from: { ...from, taken: { snapshot: 'best', averaged: true } } };
  expect(commandOf(run('attack', attack))).toBe(`weir attack ${plain} --snapshot best --averaged --set attacked=5`);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MetricRecord } from '../../../src/observe/metrics-log.js';
import { collectReport } from '../../../src/run/collect/collect.js';
import { RunFolder } from '../../../src/run/folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-collect-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The networks of a run whose metric log holds these lines. */
function collected(pipeline: string, lines: readonly MetricRecord[]) {
  const run = RunFolder.create(join(folder, pipeline), { module: 'none.ts', pipeline, seed: 0, config: { burnIn: 3 } });
  const log = run.metrics;
  for (const line of lines) log.append(line);
  log.close();
  return collectReport([run]).networks;
}

test('a network that was trained twice goes by both its regularisers', () => {
  const of = (name: string, pretrained: string, finetuned: string) => {
    return { network: name, stream: 'network', name, seed: 1, regulariser: 'twice', pretrained, finetuned };
  };
  const networks = collected('finetune', [of('a', 'none', 'none'), of('b', 'rep-spectral', 'll-spectral')]);
  expect(networks.map(({ regulariser, burnIn }) => [regulariser, burnIn])).toEqual([
    ['none > none', null],
    ['rep-spectral > ll-spectral', 3],
  ]);
});

test('readouts tested while it learned are a curve of their own; the accuracy is that of the last classifier', () => {
  const untrained = { accuracy: 0.2, lower: 0.1, upper: 0.3 };
  const fit = { fit: 'scikit-learn', iterations: 85, iterationLimit: 100, converged: true };
  const about = { network: 'a', stream: 'network', name: 'a', seed: 0, regulariser: 'none' };
  const tested = (epoch: number, accuracy: number) => {
    return {
      network: 'a',
      stream: 'tests',
      epoch,
      accuracy,
      lower: accuracy - 0.1,
      upper: accuracy + 0.1,
      untrained,
      ...fit,
    };
  };
  const lines = [about, tested(0, 0.2), tested(5, 0.6)];
  const [learning] = collected('early', lines);
  expect(learning).toMatchObject({ testAccuracy: 0.6, curves: { 'test accuracy': [] } });
  expect(learning!.probes).toEqual([
    { epoch: 0, accuracy: 0.2, lower: 0.1, upper: expect.closeTo(0.3), untrained, ...fit },
    { epoch: 5, accuracy: 0.6, lower: 0.5, upper: expect.closeTo(0.7), untrained, ...fit },
  ]);
  const classifier = { network: 'a', stream: 'classifiers', epoch: 5, accuracy: 0.7, trainAccuracy: 0.8, ...fit };
  const [done] = collected('late', [...lines, classifier]);
  expect(done).toMatchObject({ testAccuracy: 0.7, classifier: { accuracy: 0.7, trainAccuracy: 0.8, ...fit } });
});

test('a learning rate that changes is a curve; one that does not is left to the config; old logs have none', () => {
  const about = { network: 'a', stream: 'network', name: 'a', seed: 0, regulariser: 'none' };
  const curveOf = (name: string, rates: readonly (number | undefined)[]) => {
    const updates = rates.map((rate, i) => ({
      ...{ network: 'a', stream: 'updates', number: i + 1, epoch: i + 1, endsEpoch: true, epochLoss: 1 },
      ...(rate !== undefined && { rate }),
    }));
    return collected(name, [about, ...updates])[0]!.curves['learning rate'];
  };
  expect(curveOf('cosine', [0.1, 0.05])).toEqual([
    { epoch: 1, value: 0.1 },
    { epoch: 2, value: 0.05 },
  ]);
  expect([curveOf('constant', [0.1, 0.1]), curveOf('old', [undefined, undefined])]).toEqual([[], []]);
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csv } from '../../src/data/datasets/csv.js';
import { split } from '../../src/data/split.js';
import { standardized } from '../../src/data/standardized.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { startingFrom } from '../../src/learn/weights/pretrained.js';
import { readWeights } from '../../src/learn/weights/safetensors.js';
import type { LogLine } from '../../src/measure/log.js';
import { collectReport } from '../../src/run/collect/collect.js';
import { recordsOf } from '../../src/run/run-log.js';
import { fromRun } from '../../src/run/weights.js';
import { floatsOf } from '../../src/storage/log-stage.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { call } from '../cli/weir.js';

const base = mkdtempSync(join(tmpdir(), 'weir-picked-'));
const run = join(base, 'run');
const model = mlp([4, 16, 3]);
let log: LogLine[];

beforeAll(async () => {
  const { status, err } = await call('run', 'test/run/picked-weights.ts', '--run', run, '--snapshot-updates', '10');
  expect([status, err]).toEqual([0, expect.anything()]);
  await loadTensorFlow();
  log = [...recordsOf(RunFolder.open(run))] as unknown as LogLine[];
});
afterAll(() => rmSync(base, { recursive: true }));

const of = (network: string, stream: string): LogLine[] =>
  log.filter((line) => line.network === network && line.stream === stream);
const bestOf = (network: string): number => (of(network, 'best').at(-1)!.kept as number[])[0]!;

/** Exports a network, and gives the file. */
async function exported(name: string, network: string, ...options: string[]): Promise<string> {
  const file = join(base, `${name}.safetensors`);
  const { status, err } = await call('export', run, file, '--network', network, ...options);
  expect([status, err]).toEqual([0, '']);
  return file;
}

/** The loss over the test samples of the pipeline, computed here. */
async function testLoss(file: string): Promise<number> {
  const flowers = await csv('pipelines/examples/iris.csv', { label: 'species', box: 'observed' });
  const parts = split(flowers, { test: 0.4, seed: 0 });
  const [, samples] = standardized(parts.train, parts.test);
  return tf.tidy(() => {
    const weights = startingFrom(model, file).start(0);
    const x = tf.tensor2d(Float32Array.from(samples!.values), [samples!.size, 4]);
    const labels = tf.tensor1d(Int32Array.from(samples!.labels), 'int32');
    return crossEntropy().of(model.logits(weights, x), labels).value.dataSync()[0]!;
  });
}

test('the best snapshot, that of an update, and averages are the weights that were measured there', async () => {
  const best = bestOf('averaging');
  const last = of('averaging', 'tests').at(-1)!;
  expect(best).toBeLessThan(Number(last.number));
  const files = {
    last: await exported('last', 'averaging'),
    best: await exported('best', 'averaging', '--snapshot', 'best'),
    numbered: await exported('numbered', 'averaging', '--snapshot', String(best)),
    averaged: await exported('averaged', 'averaging', '--averaged'),
    both: await exported('both', 'averaging', '--averaged', '--snapshot', 'best'),
  };
  const lossOf = (stream: string, number: number) =>
    Number(of('averaging', stream).find((line) => line.number === number)!.loss);
  const end = Number(last.number);
  expect(await testLoss(files.last)).toBeCloseTo(lossOf('tests', end), 5);
  expect(await testLoss(files.best)).toBeCloseTo(lossOf('tests', best), 5);
  expect(await testLoss(files.averaged)).toBeCloseTo(lossOf('averages', end), 5);
  expect(await testLoss(files.both)).toBeCloseTo(lossOf('averages', best), 5);
  expect(
    new Set([lossOf('tests', end), lossOf('tests', best), lossOf('averages', end), lossOf('averages', best)]).size,
  ).toBe(4);
  expect(readWeights(files.numbered).tensors).toEqual(readWeights(files.best).tensors);
  const said = ({ snapshot, averaged, update }: Record<string, string>) => [snapshot, averaged, update];
  expect(said(readWeights(files.both).metadata)).toEqual([`best-${best}`, 'true', String(best)]);
  expect(said(readWeights(files.last).metadata)).toEqual([undefined, undefined, String(end)]);
  const begun = fromRun(run, { network: 'averaging', snapshot: 'best', averaged: true }).read().tensors;
  expect(begun.get('readout/bias')!.values).toEqual(readWeights(files.both).tensors.get('fc.bias')!.values);
});

test('an attack takes the same weights by the same words, and says so in its config, its log and its report', async () => {
  const network = { best: bestOf('averaging'), file: await exported('attacked', 'averaging', '--snapshot', 'best') };
  const again = join(base, 'again');
  const { status, err } = await call('attack', run, '--run', again, '--set', 'attacked=3', '--snapshot', 'best');
  expect([status, err]).toEqual([0, expect.anything()]);
  const folder = RunFolder.open(again);
  expect(folder.started.from!.taken).toEqual({ snapshot: 'best' });
  const attacks = [...recordsOf(folder)].filter((line) => line.stream === 'attacks' && line.network === 'averaging');
  expect(attacks.map(({ number }) => number)).toEqual([network.best, network.best, network.best]);
  tf.tidy(() => {
    const weights = startingFrom(model, network.file).start(0);
    for (const attack of attacks) {
      const x = tf.tensor2d(floatsOf(attack.adversarial)!, [1, 4]);
      expect(tf.argMax(model.logits(weights, x), 1).dataSync()[0]).toBe(attack.adversarialLabel);
    }
  });
  const { notes } = collectReport([folder]);
  expect(notes).toContain('averaging: attacked were the weights of snapshot best, and all else is of the last.');
});

test('every network as ONNX; none where one of them lacks the weights that were asked for', async () => {
  const all = join(base, 'all');
  const found = await call('export', run, all, '--all', '--format', 'onnx', '--snapshot', 'best');
  expect([found.status, found.err]).toEqual([0, '']);
  expect(readdirSync(all).sort()).toEqual(['averaging.onnx', 'plain.onnx']);
  expect(readFileSync(join(all, 'plain.onnx')).includes('["setosa","versicolor","virginica"]')).toBe(true);
  const none = join(base, 'none');
  const refused = await call('export', run, none, '--all', '--averaged');
  expect([refused.status, refused.err]).toEqual([1, expect.stringContaining("network 'plain' of")]);
  expect(refused.err).toMatch(/has no averages of its weights\n.*optimizer: ema\(0.999, …\)/);
  expect(existsSync(none)).toBe(false);
  for (const command of [
    ['export', run, join(base, 'no.onnx'), '--network', 'plain'],
    ['attack', run, '--run', join(base, 'no')],
  ]) {
    const { status, err } = await call(...command, '--snapshot', '7');
    expect([status, err]).toEqual([1, expect.stringMatching(/has no snapshot '7'\n.*best-\d+ \(update \d+\)/)]);
  }
  const odd = await call('export', run, join(base, 'no.onnx'), '--network', 'plain', '--format', 'safetensors');
  expect([odd.status, odd.err]).toEqual([1, expect.stringContaining("ends in '.onnx', and --format is safetensors")]);
  for (const path of ['no', 'no.onnx']) expect(existsSync(join(base, path))).toBe(false);
});

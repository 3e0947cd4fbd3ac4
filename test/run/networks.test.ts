import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachRegularizer, eachTransfer } from '../../src/run/networks.js';
import { call, hashOf, start, untapped } from '../cli/weir.js';

const wasm = process.env.WEIR_RUNTIME === 'wasm'; // a ResNet needs the native runtime

let base: string;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'weir-transfer-'));
  for (const [split, count] of [
    ['train', 8],
    ['val', 4],
  ] as const)
    for (const [k, name] of ['crocus', 'daisy', 'iris'].entries())
      await photographs(join(base, 'data', split, name), k, count);
});
afterAll(() => rmSync(base, { recursive: true }));

/** Images of one class: a level of its own, with a little grain. */
async function photographs(folder: string, k: number, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const pixels = Uint8Array.from({ length: 24 * 20 * 3 }, (_, p) => 60 * k + ((p * (7 * i + 3)) % 41));
    await sharp(pixels, { raw: { width: 24, height: 20, channels: 3 } })
      .png()
      .toFile(join(folder, `${i}.png`));
  }
}

const nothing = { from: '', weights: '', repSpectralWeights: '' };
const grid = { regularizers: ['none', 'batch-spectral-shrinkage'] as const, seeds: 1, seed: 4 };

test('networks branch off the unregularized one at the end of the burn-in, adversarial training does not', () => {
  const regularizers = ['none', 'rep-spectral', 'adversarial-training'] as const;
  const branches = eachRegularizer({ regularizers, burnIn: 3, epochs: 9, seed: 0 }).map(({ branch }) => branch);
  expect(branches).toEqual([undefined, { of: 'none', epoch: 3 }, undefined]);
});

test('a network for each pretraining, regularizer and seed', () => {
  const both = { ...nothing, weights: 'a', repSpectralWeights: 'b' };
  expect(eachTransfer({ ...both, ...grid }).map(({ name, regularizer }) => [name, regularizer])).toEqual([
    ['none-then-none', 'none > none'],
    ['none-then-batch-spectral-shrinkage', 'none > batch-spectral-shrinkage'],
    ['rep-spectral-then-none', 'rep-spectral > none'],
    ['rep-spectral-then-batch-spectral-shrinkage', 'rep-spectral > batch-spectral-shrinkage'],
  ]);
  const one = { ...nothing, repSpectralWeights: 'b' };
  expect(eachTransfer({ ...one, ...grid, seeds: 2 }).map(({ name, seed }) => [name, seed])).toEqual([
    ['rep-spectral-then-none-s4', 4],
    ['rep-spectral-then-batch-spectral-shrinkage-s4', 4],
    ['rep-spectral-then-none-s5', 5],
    ['rep-spectral-then-batch-spectral-shrinkage-s5', 5],
  ]);
});

test('a missing pretrained network, or one from a run and a file both, is refused with the remedy', () => {
  expect(() => eachTransfer({ ...nothing, ...grid })).toThrow('no pretrained network is named');
  expect(() => eachTransfer({ ...nothing, from: 'runs/a', weights: 'b', ...grid })).toThrow('by a run and by a file');
});

const tiny = [
  ...['size=16', 'width=4', 'depth=18', 'stem=cifar', 'epochs=2', 'batchSize=15', 'part=5', 'burnIn=1', 'tickEvery=1'],
  ...[
    'testEvery=1',
    'decayEvery=2',
    'testSplit=val',
    'seeds=1',
    'attacked=1',
    'iterations=1',
    'workers=1',
    'rate=0.01',
    'gamma=0.01',
  ],
];

test.skipIf(wasm)(
  'pretrained, then fine-tuned in six combinations by one command; killed and asked again it ends in the same bits',
  async () => {
    const asked = (into: string) => [
      ...['reproduce', 'finetune-folder', '--only', 'flowers', '--run', join(base, into)],
      ...[...tiny, `imagenet=${join(base, 'data')}`, `data=${join(base, 'data')}`].flatMap((one) => ['--set', one]),
    ];
    const { status, err } = await call(...asked('whole'));
    expect([status, err]).toEqual([0, expect.not.stringContaining('weir:')]);
    const records = readFileSync(join(base, 'whole/finetune-folder-flowers/metrics.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const of = (stream: string) => records.filter((line) => line.stream === stream);
    expect(of('network').map(({ network }) => network)).toEqual(
      ['none', 'rep-spectral'].flatMap((first) =>
        ['none', 'rep-spectral', 'batch-spectral-shrinkage'].map((second) => `${first}-then-${second}`),
      ),
    );
    expect(of('attacks')).toHaveLength(6);
    expect(of('ticks').every(({ network }) => String(network).endsWith('-then-rep-spectral'))).toBe(true);
    const losses = of('tests').filter(({ epoch }) => epoch === 0);
    expect(new Set(losses.map(({ network, loss }) => `${String(network).split('-then-')[0]} ${loss}`)).size).toBe(2); // one start a pretraining

    const first = start(...untapped(asked('killed')), '--snapshot-every', '0.1');
    await first.said('finetune-folder: none-then-rep-spectral (2 of 6) · training');
    first.child.kill('SIGKILL');
    expect((await first.ended).status).toBe('SIGKILL');
    expect((await call(...asked('killed'))).status).toBe(0);
    const hash = (into: string) => hashOf(join(base, into, 'finetune-folder-flowers'));
    expect(await hash('killed')).toBe(await hash('whole'));
  },
);

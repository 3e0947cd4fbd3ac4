import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { startingFrom } from '../../src/learn/weights/pretrained.js';
import { readSafetensors } from '../../src/learn/weights/safetensors.js';
import { fromRun } from '../../src/run/weights.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { call, hashOf, start, untapped } from '../cli/weir.js';

const wasm = process.env.WEIR_RUNTIME === 'wasm'; // a ResNet needs the native runtime

let base: string;
const tiny = [
  ...[
    'images=60',
    'testImages=20',
    'width=8',
    'projections=6',
    'epochs=2',
    'batchSize=16',
    'rate=0.001',
    'seeds=1',
    'burnIn=1',
  ],
  ...['tickEvery=1', 'testEvery=1', 'readoutImages=40', 'attacked=1', 'iterations=1', 'workers=1'],
];
const settings = () => [...tiny, `data=${base}`].flatMap((setting) => ['--set', setting]);

/** Images in CIFAR-10's format, each class a level of its own. */
function images(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      Buffer.from([i % 10, ...Array.from({ length: 3072 }, (_, p) => (25 * (i % 10) + ((p * (i + 3)) % 31)) % 256)]),
    ),
  );
}

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-self-supervised-'));
  writeFileSync(join(base, 'data_batch_1.bin'), images(60));
  writeFileSync(join(base, 'test_batch.bin'), images(20));
});
afterAll(() => rmSync(base, { recursive: true }));

const lines = (folder: string): Record<string, unknown>[] =>
  readFileSync(join(folder, 'metrics.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test.skipIf(wasm)(
  'cifar10-barlow: killed and resumed it ends in the same bits; readouts while it trains, an attack at the end',
  async () => {
    const [whole, killed] = [join(base, 'whole'), join(base, 'killed')];
    const run = (folder: string) => ['run', 'pipelines/cifar10-barlow.ts', '--run', folder, ...settings()];
    const { status, err } = await call(...run(whole));
    expect([status, err]).toEqual([0, expect.not.stringContaining('weir:')]);
    const records = lines(whole);
    const of = (network: string, stream: string) =>
      records.filter((line) => line.network === network && line.stream === stream);
    expect(of('none', 'tests').map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect(of('rep-spectral', 'tests').map(({ epoch }) => epoch)).toEqual([1, 2]); // it branches off after epoch 1
    const [untrained] = of('none', 'tests');
    expect(of('rep-spectral', 'tests')[0]).toMatchObject({ untrained: { accuracy: untrained!.accuracy }, images: 40 });
    for (const network of ['none', 'rep-spectral']) {
      expect(of(network, 'classifiers')).toMatchObject([{ epoch: 2, fit: 'scikit-learn', iterationLimit: 100 }]);
      expect(of(network, 'attacks')).toHaveLength(1);
    }
    expect(of('none', 'updates').find(({ number }) => number === 3)).toMatchObject({ endsEpoch: true }); // 12 are left out
    expect(existsSync(join(whole, 'report/report.html'))).toBe(true);

    const first = start(...untapped(run(killed)), '--snapshot-every', '0.1');
    await first.said('training');
    setTimeout(() => first.child.kill('SIGKILL'), 400);
    expect((await first.ended).status).toBe('SIGKILL');
    expect((await call('resume', killed)).status).toBe(0);
    expect(await hashOf(killed)).toBe(await hashOf(whole));
  },
);

test.skipIf(wasm)('what was pretrained starts a fine-tune, with its projector left out', async () => {
  await loadTensorFlow();
  const model = resnet({ depth: 18, width: 8, classes: 7, inputSize: [32, 32] });
  const pretrained = fromRun(join(base, 'whole'), { network: 'rep-spectral' });
  const options = { fresh: ['readout'], drop: ['projector'] };
  const file = join(base, 'rep.safetensors');
  expect((await call('export', join(base, 'whole'), file, '--network', 'rep-spectral')).status).toBe(0);
  const written = readSafetensors(file);
  expect(written.get('fc.weight')!.shape).toEqual([10, 64]); // the readout that was fitted and attacked, beside the head
  expect(written.has('projector1.weight')).toBe(true);
  const [begun, exported] = [pretrained, file].map((from) => startingFrom(model, from, options).start(1));
  const own = model.start(1);
  for (const [name, tensor] of begun!) {
    expect(tensor.dataSync()).toEqual(exported!.get(name)!.dataSync());
    if (name.startsWith('readout/')) expect(tensor.dataSync()).toEqual(own.get(name)!.dataSync());
    else expect(tensor.dataSync()).not.toEqual(own.get(name)!.dataSync());
  }
  expect(() => startingFrom(model, file, { fresh: ['readout'] }).start(1)).toThrow(
    expect.objectContaining({
      message: `${file} has a tensor 'projector1.weight' that ${model.name} has no place for`,
      remedy: "take the model that the weights are of, or leave it out: drop: ['projector1']",
    }),
  );
});

test.skipIf(wasm)('cifar10-simclr is wired from both views to the attack', async () => {
  const { status, out } = await call('graph', 'pipelines/cifar10-simclr.ts', ...settings());
  expect(status).toBe(0);
  expect(out).toMatch(/train +serial +→ updates\$, spectral tick, online readout, layer norms, readout/);
  expect(out).toMatch(/readout +stage +→ classifiers\$, tangent attack/);
});

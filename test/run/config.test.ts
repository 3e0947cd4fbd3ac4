import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import mnist from '../../pipelines/mnist.js';
import { mnist as embeddedDigits } from '../../src/data/datasets/mnist.js';
import { collectReport } from '../../src/run/collect/collect.js';
import { describeConfig, resolveConfig } from '../../src/run/config.js';
import { checkAttackKeys, evaluationOf, gammaOf } from '../../src/run/config-keys.js';
import { pipeline } from '../../src/run/pipeline.js';
import { loadExport, loadPipeline } from '../../src/run/pipeline-module.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { isStudy } from '../../src/study/study.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const resolve = (...settings: string[]) => resolveConfig(mnist.config, mnist.profiles, settings);

test("defaults are the paper's, a profile changes some, and settings override both", () => {
  expect(resolve()).toMatchObject({
    profile: 'paper',
    hidden: 2000,
    epochs: 200,
    batchSize: 1024,
    rate: 0.1,
    gamma: 1e-3,
  });
  expect(resolve('profile=quick').epochs).toBeLessThan(200);
  expect(resolve('epochs=7', 'profile=quick', 'regularizers=none,rep-spectral')).toMatchObject({
    profile: 'quick',
    epochs: 7,
    regularizers: ['none', 'rep-spectral'],
  });
  expect(resolve('regularizers=[none,rep-spectral]').regularizers).toEqual(['none', 'rep-spectral']);
  expect(resolve('regularizers=none').regularizers).toEqual(['none']);
});

test.each([
  ['gama=1', "there is no key 'gama'", "did you mean 'gamma'?"],
  ['warmth=1', "there is no key 'warmth'", 'there are '],
  ['learningRate=1', "there is no key 'learningRate'", "did you mean 'rate'?"],
  ['profile=quik', "there is no profile 'quik'", "did you mean 'quick'?"],
  ['epochs=many', '--set epochs=many', 'its default is 200'],
  ['epochs=1.5', '--set epochs=1.5', 'epochs'],
  ['gamma=-1', '--set gamma=-1', 'γ of equations 5 and 6'],
  ['gammas={"weight":1}', '--set gammas={"weight":1}', 'γ of single regularizers'],
  ['gammas={"weight-decay":-1}', '--set gammas={"weight-decay":-1}', 'γ of single regularizers'],
  ['regularizers=rep', '--set regularizers=rep', "did you mean 'rep-spectral'? "],
  ['regularizers=none,rep-spectrl', '--set regularizers', "did you mean 'rep-spectral'? regularizers (a network"],
  ['epochs', '--set epochs is not of the form key=value', '--set epochs=VALUE'],
])('--set %s is refused by name, with what would be right', (setting, message, remedy) => {
  expect(() => resolve(setting)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) }),
  );
});

test('a folder is kept as an absolute path', () => {
  expect(resolve('data=some/where').data).toBe(join(process.cwd(), 'some/where'));
  expect(resolve('data=embedded').data).toBe('embedded');
});

test('a regularizer has a strength of its own, or the common one', () => {
  const config = resolveConfig(mnist.config, {}, [
    'gamma=0.5',
    'regularizers=none,rep-spectral,weight-decay',
    'gammas={"weight-decay":0.002}',
  ]);
  expect([gammaOf(config, 'weight-decay'), gammaOf(config, 'rep-spectral')]).toEqual([0.002, 0.5]);
});

test('validation takes the place of the test images, and is held back from training, the same for all seeds', () => {
  const images = embeddedDigits({ testSize: 500 });
  const { train, test: held } = evaluationOf(images, { evaluateOn: 'validation' });
  expect(evaluationOf(images, { evaluateOn: 'test' })).toEqual(images);
  expect([train.size, held.size, held.name]).toEqual([8550, 950, `${images.train.name}/validation`]);
  expect(evaluationOf(images, { evaluateOn: 'validation' }).test.labels).toEqual(held.labels);
});

test('the keys of a config can be listed', () => {
  const text = describeConfig(mnist.config);
  expect(text).toMatch(/gamma=0\.001 +γ of equations 5 and 6 \(number\)/);
  expect(text).toMatch(/regularizers=none,.* a network for each \(list of none, rep-spectral/);
  expect(text).toMatch(/apgd= +ε, in units of the inputs, .* \(number; `resume --set` may change it\)/);
});

test('a key without a default is in no config unless it is set: runs from before there was such a key stay comparable', async () => {
  expect(Object.keys(await config('mnist', 'whitebox=9'))).not.toContain('apgd');
  expect(await config('mnist', 'apgd=1.5')).toMatchObject({ apgd: 1.5 });
  await expect(config('mnist', 'apgd=near')).rejects.toMatchObject({
    message: expect.stringContaining('apgd=near'),
    remedy: expect.stringContaining('is a number; it may be left out'),
  });
});

test.each([
  ['missing.ts', undefined, 'there is no pipeline module'],
  ['throws.ts', "throw new Error('no such luck');\n", 'failed while loading: no such luck'],
  ['nothing.ts', 'export const pipeline = 1;\n', 'exports no pipeline'],
])('a module that is %s is refused', async (name, text, message) => {
  const file = join(folder, name);
  if (text !== undefined) writeFileSync(file, text);
  await expect(loadPipeline(file)).rejects.toThrow(message);
});

test('a run is not started in the folder of another, nor opened where there is none, nor of another format', () => {
  const run = { module: 'pipelines/mnist.ts', pipeline: 'mnist', seed: 0, config: resolve() };
  const path = join(folder, 'run');
  RunFolder.create(path, run);
  expect(RunFolder.open(path).started).toMatchObject({ pipeline: 'mnist', seed: 0 });
  expect(() => RunFolder.create(path, run)).toThrow(`there is a run in ${path} already`);
  expect(() => RunFolder.open(join(folder, 'none'))).toThrow('there is no run in');
  writeFileSync(join(path, 'config.json'), '{"format": 99, "weir": "9.0.0"}');
  expect(() => RunFolder.open(path)).toThrow('format 99');
  writeFileSync(join(path, 'config.json'), '{"format": 2, "weir": "0.1.0"}');
  expect(() => RunFolder.open(path)).toThrow(`the run in ${path} is of format 2`);
  expect(() => RunFolder.open(path)).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('older formats') }),
  );
  writeFileSync(join(path, 'config.json'), '{');
  expect(() => RunFolder.open(path)).toThrow('config.json is damaged');
  writeFileSync(join(folder, 'file'), '');
  expect(() => RunFolder.create(join(folder, 'file', 'run'), run)).toThrow('cannot write');
});

const pipelinesFolder = join(import.meta.dirname, '../../pipelines');

/** The config of a pipeline under these settings, and its notices. */
async function config(name: string, ...settings: string[]) {
  const { config, profiles, rules = [] } = await loadPipeline(join(pipelinesFolder, `${name}.ts`));
  const notices: string[] = [];
  const found = resolveConfig(config, profiles, settings, { rules, tell: (line) => notices.push(line) });
  return { ...(found as Record<string, unknown>), notices } as Record<string, unknown> & { readonly notices: string[] };
}

test('every profile of every pipeline fits itself, to the last setting', async () => {
  for (const file of readdirSync(pipelinesFolder).filter((name) => name.endsWith('.ts'))) {
    const name = file.replace('.ts', '');
    if (isStudy(await loadExport(join(pipelinesFolder, file)))) continue;
    const { profiles } = await loadPipeline(join(pipelinesFolder, file));
    for (const profile of ['paper', ...Object.keys(profiles)]) {
      const { notices } = await config(name, `profile=${profile}`);
      expect(notices.filter((line) => !line.startsWith('readoutImages='))).toEqual([]); // that one follows the number of images
    }
  }
});

test.each([
  [
    'mnist',
    ['epochs=100'],
    'burnIn=160 and epochs=100 cancel each other: no regularizer would ever act',
    'set burnIn=80',
  ],
  ['mnist', ['profile=quick', 'epochs=20', 'burnIn=20'], 'burnIn=20 and epochs=20', 'set burnIn=12'],
  ['appendix-b', ['epochs=100'], 'burnIn=160 and epochs=100', 'set burnIn=80'],
  ['xor', ['epochs=5000'], 'burnIn=10500 and epochs=5000', 'set burnIn=3500'],
  ['mnist', ['gamma=0'], 'gamma=0 and regularizers=none,', 'change gamma or regularizers'],
  [
    'mnist',
    ['gammas={"weight-decay":0.1}'],
    'gammas={"weight-decay":0.1} and regularizers=none,',
    'change gammas or regularizers',
  ],
  [
    'cifar10-resnet18',
    ['epochs=170', 'tickEvery=5000'],
    'tickEvery=5000 and epochs=170',
    'updates 7841 to 8330 (49 an epoch)',
  ],
  [
    'cifar10-resnet18',
    ['epochs=171', 'testEvery=3', 'images=500', 'batchSize=600'],
    'batchSize=600 and images=500',
    'set batchSize=500',
  ],
  [
    'cifar10-resnet18',
    ['epochs=170', 'testEvery=3'],
    'testEvery=3 and epochs=170 cancel each other: after epoch 168 nothing would be tested',
    'set testEvery=2',
  ],
  [
    'cifar10-barlow',
    ['epochs=40', 'burnIn=20'],
    'testEvery=50 and epochs=40 cancel each other: nothing but the untrained network',
    'set testEvery=40',
  ],
  [
    'cifar10-barlow',
    ['images=20000', 'readoutImages=30000'],
    'readoutImages=30000 and images=20000',
    'set readoutImages=20000',
  ],
  ['cifar10-resnet18', ['testImages=100', 'attacked=200'], 'attacked=200 and testImages=100', 'set attacked=100'],
  [
    'imagenet-pretrain',
    ['epochs=25', 'burnIn=10'],
    'decayEvery=30 and epochs=25 cancel each other: the learning rate would never fall',
    'set decayEvery=6',
  ],
  ['mnist', ['decay=10'], 'decay=10 and rate=0.1', 'take 1 times its own size from every weight'],
  ['imagenet-pretrain', ['part=100'], 'part=100 and batchSize=512', 'set part=64'],
  ['xor', ['std=0.5'], 'std=0.5 and noisy=false', 'the corners have no noise'],
  ['xor', ['logEvery=400'], 'logEvery=400 and epochs=15000', 'set logEvery=375'],
  ['alignment', ['epochs=50'], 'logEvery=20 and epochs=50', 'set logEvery=10'],
  ['tracking', ['snapshots=0,100', 'xorEpochs=50'], 'snapshots=0,100 and xorEpochs=50', 'set snapshots=0'],
  ['tracking', ['trackEvery=60', 'xorEpochs=50'], 'trackEvery=60 and xorEpochs=50', 'followed at none'],
])('%s %o: two settings that cancel each other are named', async (name, settings, message, remedy) => {
  const error = await config(name, ...settings).then(
    () => undefined,
    (error: Error & { readonly remedy: string }) => error,
  );
  expect(error?.message).toContain(message);
  expect(`${error?.message} ${error?.remedy}`).toContain(remedy);
});

test('a default of a small profile is reduced in proportion, with a notice', async () => {
  expect(await config('mnist', 'profile=quick', 'epochs=5')).toMatchObject({
    burnIn: 3,
    notices: ['burnIn=12 became 3, to fit epochs=5'],
  });
  expect(await config('cifar10-barlow', 'profile=quick', 'epochs=4', 'images=100')).toMatchObject({
    batchSize: 100,
    readoutImages: 100,
    burnIn: 2,
    tickEvery: 1,
    testEvery: 4,
  });
  expect(await config('tracking', 'xorEpochs=500')).toMatchObject({ snapshots: [0, 300, 400, 500] });
});

test.each([
  ['mnist', ['epochs=100', 'regularizers=none']],
  ['mnist', ['gamma=0', 'regularizers=rep-spectral']],
  ['imagenet-pretrain', ['epochs=25', 'burnIn=10', 'decayEvery=25']], // a rate that shall not fall
  ['cifar10-resnet18', ['epochs=170', 'tickEvery=5000', 'protocol=authors']], // exact directions
  ['xor', ['std=0.5', 'noisy=true']],
])('%s %o: fits', async (name, settings) => {
  expect((await config(name, ...settings)).notices).toEqual([]);
});

test('short batches can be dropped from the command line wherever a pipeline makes batches of a size of its own', async () => {
  for (const name of [
    'mnist',
    'cifar10-resnet18',
    'cifar10-barlow',
    'cifar10-simclr',
    'finetune-cifar10',
    'finetune-folder',
    'imagenet-pretrain',
    'appendix-b',
  ]) {
    expect(await config(name, 'partial=drop')).toMatchObject({ partial: 'drop' });
  }
  expect((await config('cifar10-barlow')).partial).toBe('drop');
  expect((await config('mnist')).partial).toBe('keep');
});

test('the reference of a pipeline goes with its run; one of an unknown measure is refused', async () => {
  const { reference } = await loadPipeline('pipelines/xor.ts');
  const start = { module: 'pipelines/xor.ts', pipeline: 'xor', seed: 0, config: {} };
  const run = RunFolder.create(join(folder, 'referenced'), { ...start, ...(reference && { reference }) });
  run.metrics.close();
  expect(collectReport([RunFolder.open(run.path)]).references).toEqual({ xor: reference });

  const row = { regularizer: 'none', measures: { 'Mean Dx': [1, 0.1] as const } };
  const odd = { title: 'Own', source: 'a paper', seeds: 3, epochs: 4, rows: [row] };
  expect(() => pipeline({ name: 'own', config: {}, reference: odd, wire: () => ({}) })).toThrow(
    "the reference of pipeline 'own' has numbers of 'Mean Dx', which is no measure of the report",
  );
});

test.each([
  ['regularizers=none,rep-spectral,none', "'none' is named twice"],
  ['blackbox=cgba,cgba', "'cgba' is named twice"],
  ['gammas={"rep-spectral":0.1, "rep-spectral" :0.2}', "'rep-spectral' is named twice"],
])('%s: what is named twice is refused', async (setting, message) => {
  await expect(config('mnist', setting)).rejects.toThrow(message);
});

test('an attack does not change which images were held back from training', () => {
  const tell = () => undefined;
  expect(() => checkAttackKeys({ evaluateOn: 'test' }, { evaluateOn: 'validation' }, tell)).toThrow(/evaluateOn/);
  expect(() => checkAttackKeys({ evaluateOn: 'test' }, { evaluateOn: 'test', attacked: 8 }, tell)).not.toThrow();
});

import { NEVER } from 'rxjs';
import { expect, test, vi } from 'vitest';
import * as weir from '../../src/index.js';
import { sweep } from '../../src/sweep.js';
import * as testing from '../../src/testing.js';

const model = weir.mlp([4, 3, 2]);
const samples = weir.dataset({ values: [0.1, 0.2, 0.3, 0.4], labels: [0], sampleShape: [4], classes: ['a', 'b'] });
const [loss, optimizer, seed] = [weir.crossEntropy(), weir.sgd({ rate: 1 }), 0];
const whole = { loss, optimizer, seed };
const networks = weir.ensemble([2, 3, 2], [{ name: 'own', seed: 0, regularizer: 'none' }]);

/** Options as a pipeline hands them over: its modules run without type checks. */
// biome-ignore lint/suspicious/noExplicitAny: the point is what TypeScript would refuse
const untyped = (options: object): any => options;

const contradictions: readonly [says: string, build: () => unknown][] = [
  [
    'every was given updates and epochs, which exclude each other',
    () => weir.every(untyped({ epochs: 1, updates: 2 })),
  ],
  ['every was given none of updates, epochs', () => weir.every(untyped({}))],
  ['from was given epoch and update, which exclude', () => weir.from(untyped({ epoch: 1, update: 2 }))],
  ['at was given epoch and update, which exclude', () => weir.at(untyped({ epoch: 1, update: 2 }))],
  ['from of every was given epoch and update', () => weir.every({ epochs: 1, from: untyped({ epoch: 1, update: 2 }) })],
  [
    "tap 'a' was given size, but keep: 'sample' takes every",
    () => weir.tap('a', untyped({ keep: 'sample', every: 2, size: 3 }), () => undefined),
  ],
  [
    "tap 'a' was given every and size, but keep: 'latest' takes neither",
    () => weir.tap('a', untyped({ keep: 'latest', every: 2, size: 3 }), () => undefined),
  ],
  [
    'npy was given members, but two .npy files have none',
    () => weir.npy({ values: 'x', labels: 'y' }, { members: { values: 'x', labels: 'y' } }),
  ],
  [
    'packImages was given quality, but raw records are no JPEG',
    () => weir.packImages(samples as never, 'none', { raw: true, quality: 3 }),
  ],
  ['loader was not given epochs, seed', () => weir.loader(samples, untyped({ shuffle: false }))],
];

test.each(contradictions)('%s', async (says, build) => {
  await expect((async () => build())()).rejects.toThrow(
    expect.objectContaining({ name: 'WeirError', message: expect.stringContaining(says) }),
  );
});

const refusals: readonly [where: string, key: string, meant: string, build: () => unknown][] = [
  ['train', 'penalty', 'regularizer', () => weir.train(model, untyped({ ...whole, penalty: {} }))],
  ['train', 'optimiser', 'optimizer', () => weir.train(model, untyped({ loss, seed, optimiser: optimizer }))],
  ['mlp', 'initialisation', 'initialization', () => weir.mlp([4, 3, 2], untyped({ initialisation: weir.normal() }))],
  ['mlp', 'width', 'none', () => weir.mlp([4, 3, 2], untyped({ width: 3 }))],
  ['sgd', 'momentun', 'momentum', () => weir.sgd(untyped({ rate: 1, momentun: 0.9 }))],
  ['adamw', 'lr', 'rate', () => weir.adamw(untyped({ lr: 0.1 }))],
  ['adamw', 'weightDecay', 'decay', () => weir.adamw(untyped({ rate: 1, weightDecay: 0.1 }))],
  ['sgd', 'weight_decay', 'decay', () => weir.sgd(untyped({ rate: 1, weight_decay: 0.1 }))],
  ['adam', 'betas', 'beta1', () => weir.adam(untyped({ rate: 1, betas: [0.9, 0.999] }))],
  ['adam', 'eps', 'epsilon', () => weir.adam(untyped({ rate: 1, eps: 1e-6 }))],
  ['sgd', 'dampening', 'none', () => weir.sgd(untyped({ rate: 1, dampening: 0.1 }))],
  ['step', 'gamma', 'factor', () => weir.step(0.1, untyped({ every: 30, gamma: 0.1 }))],
  ['crossEntropy', 'label_smoothing', 'smoothing', () => weir.crossEntropy(untyped({ label_smoothing: 0.1 }))],
  ['projectedGradient', 'eps', 'epsilon', () => weir.projectedGradient(untyped({ epsilon: 1, eps: 1 }))],
  ['augment', 'num_workers', 'threads', () => weir.augment([], untyped({ seed: 0, num_workers: 4 }))],
  ['horizontalFlip', 'p', 'probability', () => weir.horizontalFlip(untyped({ p: 0.5 }))],
  ['batch', 'Partial', 'partial', () => weir.batch(4, untyped({ Partial: 'drop' }))],
  ['accuracy', 'normalise', 'normalize', () => weir.accuracy(model, samples, untyped({ normalise: {} }))],
  ['colorJitter', 'colour', 'none', () => weir.colorJitter(untyped({ colour: 1 }))],
  ['unitScale', 'by', '', () => (weir.unitScale as (options: object) => unknown)({ by: 255 })],
  ['every', 'epoch', 'epochs', () => weir.every(untyped({ epoch: 3 }))],
  ['from', 'epochs', 'epoch', () => weir.from(untyped({ epochs: 3 }))],
  [
    "from of regularizer 'l2-sp'",
    'epochs',
    'epoch',
    () => weir.regularizer('l2-sp', model, { gamma: 1, from: untyped({ epochs: 3 }) }),
  ],
  ['regularizer', 'betta', 'beta', () => weir.regularizer('l2-sp', model, untyped({ gamma: 1, betta: 3 }))],
  [
    'tangentAttack',
    'iteratons',
    'iterations',
    () => weir.tangentAttack(model, samples, untyped({ samples: 1, seed, iteratons: 3 })),
  ],
  ['quantity', 'lable', 'label', () => weir.quantity(untyped({ lable: 'loss' }))],
];

test.each(refusals)('%s refuses the option %s', (where, key, meant, build) => {
  const near = meant === 'none' ? 'the options are ' : `did you mean '${meant}'? The options are `;
  const remedy = meant === '' ? /^leave it out/ : new RegExp(`^${near.replace('?', '\\?')}`);
  expect(build).toThrow(
    expect.objectContaining({
      name: 'WeirError',
      message: `${where} has no option '${key}'`,
      remedy: expect.stringMatching(remedy),
    }),
  );
});

test('options that are missing are named', () => {
  expect(() => weir.train(model, untyped({ seed }))).toThrow('train was not given loss, optimizer');
  expect(() => weir.sgd(untyped({ momentum: 0.9 }))).toThrow('sgd was not given rate');
  expect(() => weir.at(untyped({}))).toThrow('at was given none of epoch, update');
});

test('options that are no object are refused', () => {
  expect(() => weir.train(model, untyped(undefined as never))).toThrow('train was not given loss, optimizer, seed');
  expect(() => weir.batch(4, 'drop' as never)).toThrow('batch was given "drop" as its options');
});

/** Every exported builder that takes options: one of them, and a call with other ones. */
const builders: Readonly<Record<string, readonly [option: string, build: (options: never) => unknown]>> = {
  accuracy: ['batch', (o) => weir.accuracy(model, samples, o)],
  adversaryKeys: ['epsilon', (o) => weir.adversaryKeys(o)],
  adam: ['beta1', (o) => weir.adam(o)],
  adamw: ['beta2', (o) => weir.adamw(o)],
  apgd: ['epsilon', (o) => weir.apgd(model, samples, o)],
  array: ['label', (o) => weir.array(o)],
  at: ['epoch', (o) => weir.at(o)],
  attackKeys: ['attacked', (o) => weir.attackKeys(o)],
  augment: ['threads', (o) => weir.augment([], o)],
  barlowRecipes: ['size', (o) => weir.barlowRecipes(o)],
  barlowTwins: ['lambda', (o) => weir.barlowTwins(o)],
  batch: ['partial', (o) => weir.batch(4, o)],
  category: ['label', (o) => weir.category(['a'], o)],
  centerCrop: ['size', (o) => weir.centerCrop(o)],
  certificate: ['radius', (o) => weir.certificate(model, samples, o)],
  cifar10: ['data', (o) => weir.cifar10(o)],
  colorJitter: ['brightness', (o) => weir.colorJitter(o)],
  cosine: ['epochs', (o) => weir.cosine(1, o)],
  crossEntropy: ['smoothing', (o) => weir.crossEntropy(o)],
  csv: ['label', (o) => weir.csv('none.csv', o)],
  dataset: ['values', (o) => weir.dataset(o)],
  decoded: ['epoch', (o) => weir.decoded(samples as never, [], o)],
  cgba: ['reduction', (o) => weir.cgba(model, samples, o)],
  hopSkipJump: ['iterations', (o) => weir.hopSkipJump(model, samples, o)],
  ddn: ['gamma', (o) => weir.ddn(model, samples, o)],
  deepFool: ['overshoot', (o) => weir.deepFool(model, samples, o)],
  defineOp: ['kind', (o) => weir.defineOp(o)],
  defineRegularizer: ['ofWeights', (o) => weir.defineRegularizer(o)],
  directionsOf: ['authors', (o) => weir.directionsOf({ directions: 'usual' }, o)],
  eachRegularizer: ['regularizers', (o) => weir.eachRegularizer(o)],
  eachTransfer: ['repSpectralWeights', (o) => weir.eachTransfer(o)],
  ensemble: ['regularizer', (o) => weir.ensemble([2, 3, 2], [o])],
  ensembleRegularizer: ['gamma', (o) => weir.ensembleRegularizer(networks, o)],
  every: ['updates', (o) => weir.every(o)],
  exactDistances: ['directions', (o) => weir.exactDistances(model, samples, o)],
  filter: ['name', (o) => weir.filter(() => true, o)],
  fineTuneRecipe: ['size', (o) => weir.fineTuneRecipe('folder', o)],
  fineTuneTestRecipe: ['size', (o) => weir.fineTuneTestRecipe('folder', o)],
  fmn: ['gamma', (o) => weir.fmn(model, samples, o)],
  from: ['epoch', (o) => weir.from(o)],
  fromRun: ['network', (o) => weir.fromRun('run', o)],
  gaussianBlur: ['sigma', (o) => weir.gaussianBlur(o)],
  gaussianNoise: ['std', (o) => weir.gaussianNoise(o)],
  geometryGrid: ['resolution', (o) => weir.geometryGrid(model, o)],
  geometryPlane: ['indices', (o) => weir.geometryPlane(model, samples, o)],
  horizontalFlip: ['probability', (o) => weir.horizontalFlip(o)],
  imageFolder: ['folder', (o) => weir.imageFolder(o)],
  imagenetRecipe: ['size', (o) => weir.imagenetRecipe(o)],
  imagenetTestRecipe: ['size', (o) => weir.imagenetTestRecipe(o)],
  keepBest: ['count', (o) => weir.keepBest(o)],
  layerNorms: ['estimator', (o) => weir.layerNorms(model, o)],
  lars: ['trust', (o) => weir.lars(o)],
  lighting: ['std', (o) => weir.lighting(o)],
  linear: ['bias', (o) => weir.linear([4, 2], o)],
  loader: ['epochs', (o) => weir.loader(samples, o)],
  mlp: ['activation', (o) => weir.mlp([4, 3, 2], o)],
  mnist: ['testSize', (o) => weir.mnist(o)],
  model: ['layers', (o) => weir.model(o)],
  muon: ['momentum', (o) => weir.muon(o)],
  normalize: ['mean', (o) => weir.normalize(o)],
  npy: ['members', (o) => weir.npy('none.npz', o)],
  ntXent: ['temperature', (o) => weir.ntXent(o)],
  onlineReadout: ['images', (o) => weir.onlineReadout(model, samples, samples, o)],
  optimizer: ['state', (o) => weir.optimizer(o)],
  packImages: ['quality', (o) => weir.packImages(samples as never, 'none', o)],
  parquet: ['label', (o) => weir.parquet('none.parquet', o)],
  pipeline: ['networks', (o) => weir.pipeline(o)],
  pretrainedModel: ['weights', (o) => weir.pretrainedModel(model, o, { pretrained: 'none', finetuned: 'none' })],
  projectedGradient: ['steps', (o) => weir.projectedGradient(o)],
  projected: ['hidden', (o) => weir.projected(model, o)],
  quantities: ['unit', (o) => weir.quantities(o)],
  quantity: ['unit', (o) => weir.quantity(o)],
  randomCrop: ['padding', (o) => weir.randomCrop(o)],
  randomGrayscale: ['probability', (o) => weir.randomGrayscale(o)],
  randomResizedCrop: ['size', (o) => weir.randomResizedCrop(o)],
  readout: ['fit', (o) => weir.readout(model, samples, samples, o)],
  record: ['total', (o) => weir.record(o)],
  recorded: ['name', (o) => weir.recorded(weir.record({ name: 'own', role: 'measurement', fields: {} }), o)],
  regularizer: ['gamma', (o) => weir.regularizer('rep-spectral', model, o)],
  regularizerKeys: ['burnIn', (o) => weir.regularizerKeys(['none'], o)],
  rendered: ['epoch', (o) => weir.rendered(samples, [], o)],
  replay: ['pace', (o) => weir.replay('none.weirrec', o)],
  resize: ['size', (o) => weir.resize(o)],
  resnet: ['depth', (o) => weir.resnet(o)],
  sensitivity: ['radius', (o) => weir.sensitivity(model, o)],
  sgd: ['momentum', (o) => weir.sgd(o)],
  simclrRecipes: ['strength', (o) => weir.simclrRecipes(o)],
  simplex: ['classes', (o) => weir.simplex(o)],
  solarize: ['threshold', (o) => weir.solarize(o)],
  spectralRegularizer: ['gamma', (o) => weir.spectralRegularizer('rep-spectral', model, o)],
  split: ['validation', (o) => weir.split(samples, o)],
  startingFrom: ['fresh', (o) => weir.startingFrom(model, 'none.safetensors', o)],
  step: ['every', (o) => weir.step(1, o)],
  study: ['claims', (o) => weir.study(o)],
  stopEarly: ['patience', (o) => weir.stopEarly(o)],
  tangentAttack: ['iterations', (o) => weir.tangentAttack(model, samples, o)],
  resume: ['snapshotKeep', (o) => weir.resume('run', o)],
  run: ['seed', (o) => weir.run('module.ts', o)],
  tap: ['every', (o) => weir.tap('own', o, () => undefined)],
  tracking: ['indices', (o) => weir.tracking(model, samples, o)],
  train: ['accumulate', (o) => weir.train(model, o)],
  trainEnsemble: ['regularizer', (o) => weir.trainEnsemble(networks, o)],
  trainedBy: ['network', (o) => weir.trainedBy(model, o)],
  trainingKeys: ['batchSize', (o) => weir.trainingKeys(o)],
  transferKeys: ['readoutRate', (o) => weir.transferKeys(o)],
  views: ['threads', (o) => weir.views([[], []], o)],
  whiteBoxKeys: ['whitebox', (o) => weir.whiteBoxKeys(o)],
  blackBoxKeys: ['blackbox', (o) => weir.blackBoxKeys(o)],
  blackBoxAttacks: ['blackbox', (o) => weir.blackBoxAttacks(NEVER, model, samples, o)],
  whiteBoxAttacks: ['whitebox', (o) => weir.whiteBoxAttacks(NEVER, model, samples, o)],
  xor: ['noise', (o) => weir.xor(o)],
  xorOfEach: ['perCorner', (o) => weir.xorOfEach([0], o)],
  'layers.conv': ['stride', (o) => weir.layers.conv(3, o)],
  'layers.dense': ['bias', (o) => weir.layers.dense(3, o)],
  'layers.own': ['name', (o) => weir.layers.own(o)],
  // of weir-engine/sweep and weir-engine/testing
  'sweep.sweep': ['module', (o) => sweep(o)],
  'testing.attackTests': ['make', (o) => testing.attackTests(o)],
  'testing.expectReplay': ['input', (o) => testing.expectReplay(weir.batch(2), o)],
  'testing.loadTensorFlow': ['runtime', (o) => testing.loadTensorFlow(o)],
  'testing.lossTests': ['classes', (o) => testing.lossTests(o)],
  'testing.modelTests': ['tolerance', (o) => testing.modelTests(o)],
  'testing.opTests': ['sampleShape', (o) => testing.opTests(o)],
  'testing.optimizerTests': ['model', (o) => testing.optimizerTests(o)],
  'testing.regularizerTests': ['model', (o) => testing.regularizerTests(o)],
  'testing.stageTests': ['items', (o) => testing.stageTests(o)],
};

/** Exported functions without options: their arguments stand by position, or are values such as a stage, which may have fields of its own. */
const withoutOptions = `
  WeirError addGradient alignedTo alignment atEnd averaged changeable cifar10File cifar10Keys clipByNorm compileRecipe
  constant convolutionKeys divides eachMember ema endsWith ensembleTick evaluationKeys evaluationOf fanOut folder gammaOf imageShape isSpectral key labeled loss
  memberAccuracy memberNorms memberTicks memberUpdates mergeInTurn named networksOf normal ofRegularizer ordered packed
  readoutKeys reportLines scheduled serial since source spectralTick stage standardized uniform unitScale warmUp
`
  .trim()
  .split(/\s+/);

test('every exported function stands in the table of builders, or takes no options', () => {
  const exported = Object.entries(weir).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect(exported.sort()).toEqual(
    [...Object.keys(builders).filter((name) => !name.includes('.')), ...withoutOptions].sort(),
  );
});

test.each(Object.entries(builders))(
  '%s refuses an unknown key and names the nearest option',
  async (name, [option, build]) => {
    const building = async () => build({ [`${option}X`]: 1 } as never);
    await expect(building()).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(
          `\\b${name === 'tap' ? "tap 'own'" : name.replace(/^(sweep|testing)\./, '')} has no option '${option}X'$`,
        ),
      ),
      remedy: expect.stringContaining(`did you mean '${option}'? The options are `),
    });
  },
);

/** Builds with a config as a pipeline's `wire` gets it. */
// biome-ignore lint/suspicious/noExplicitAny: the point is what TypeScript would refuse
const inPipeline = async (values: object, build: (config: any) => unknown): Promise<void> => {
  const own = weir.pipeline({ name: 'own', config: {}, wire: ({ config }) => ({ built$: build(config) as never }) });
  await own.wire({ config: values as Record<string, never>, network: { name: 'own', seed: 0 }, seed: 0 });
};

test('a whole config may be handed over or spread, with keys of its own; a key that is not of the config is refused', async () => {
  const config = { rate: 0.1, epochs: 3, seeds: 5, images: 10, batches: 7 };
  await inPipeline(config, (config) => weir.sgd(config));
  await inPipeline(config, (config) => weir.accuracy(model, samples, { ...config, batch: 10 }));
  await inPipeline(config, ({ rate: _, ...rest }) => weir.tangentAttack(model, samples, { ...rest, samples: 1, seed }));
  await expect(inPipeline(config, (config) => weir.sgd({ ...config, momentun: 0.9 }))).rejects.toThrow(
    "sgd has no option 'momentun'",
  );
  expect(() => weir.sgd(untyped(config))).toThrow("sgd has no option 'epochs'"); // no pipeline's config
});

test("a key of the config near an option that was not given is the user's own: a notice says so, once", async () => {
  const lines: unknown[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(line) > 0);
  try {
    for (let i = 0; i < 2; i++) await inPipeline({ batches: 7 }, (config) => weir.accuracy(model, samples, config));
  } finally {
    write.mockRestore();
  }
  expect(lines).toEqual([
    "accuracy ignores the config's key 'batches', and its option 'batch' was not given: is that meant?\n",
  ]);
});

import * as weir from 'weir-engine';
import { quickCifar10 } from './quick.js';

const { z } = weir;

/** Keys of a pretraining without labels on CIFAR-10, under rep-spectral or without, that is read out and attacked. */
export const selfSupervisedKeys = (usual: { readonly batchSize: number; readonly decay: number }) => ({
  ...weir.cifar10Keys(),
  ...weir.convolutionKeys(),
  ...weir.regularizerKeys(['none', 'rep-spectral'], {
    regularizers: ['none', 'rep-spectral'],
    gamma: 0.01,
    burnIn: 900,
    tickEvery: 24,
  }),
  ...weir.trainingKeys({ ...usual, epochs: 1000, rate: 0.01, partial: 'drop' }),
  ...weir.readoutKeys(),
  ...weir.attackKeys({ attacked: 1000 }),
  ...weir.whiteBoxKeys({ whitebox: 0 }),
  workers: z.int().min(1).default(2).describe('threads that make views'),
  testEvery: weir.changeable(z.int().min(1).default(50).describe('epochs from one readout to the next'), 'any'),
  readoutImages: z.int().min(10).default(50_000).describe('training images that those readouts are fitted to'),
});

/** A pretraining that ends within minutes on 2 cores. */
export const quickPretraining = {
  ...quickCifar10,
  seeds: 1,
  epochs: 10,
  batchSize: 128,
  burnIn: 7,
  tickEvery: 5,
  testEvery: 5,
};

type Config = weir.z.output<weir.z.ZodObject<ReturnType<typeof selfSupervisedKeys>>>;
type Model = ReturnType<typeof weir.projected>;

/** The parts in which the methods differ. */
interface Method {
  readonly backbone: Model;
  /** The backbone with its projection head. */
  readonly model: Model;
  readonly loss: ReturnType<typeof weir.barlowTwins>;
  /** One for each of the two views of an image. */
  readonly recipes: Parameters<typeof weir.views>[0];
  readonly train: weir.Dataset;
  readonly test: weir.Dataset;
  /** Normalizes images for the readouts; none by default. */
  readonly normalize?: weir.Normalization;
  /** The last readout, where it is fitted to other images or has other constants. */
  readonly last?: { readonly fitted: weir.Dataset; readonly normalize: weir.Normalization };
}

interface Wiring {
  readonly config: Config;
  readonly network: { readonly regularizer: 'none' | 'rep-spectral' };
  readonly seed: number;
}

/** The ResNet that both methods pretrain. */
export function cifar10Backbone({ depth, width, padding, precision }: Config): Model {
  return weir.resnet({ depth, width, padding, precision, stem: 'cifar', inputSize: [32, 32], classes: 10 });
}

/**
 * Pretraining without labels, a logistic readout on the frozen features, and the Tangent Attack on both together.
 *
 * `tests$` is a readout fitted to training images every few epochs; `attacks$` is on the readout that is fitted at the end.
 */
export function selfSupervised(method: Method, { config, network, seed }: Wiring) {
  const { backbone, model, loss, recipes, train, test } = method;
  const normalized = method.normalize === undefined ? {} : { normalize: method.normalize };
  const { fitted, ...last } = method.last ?? { fitted: train, ...normalized };
  const regularizer = weir.regularizer(network.regularizer, model, {
    gamma: weir.gammaOf(config, network.regularizer),
    from: { epoch: config.burnIn },
    directions: weir.directionsOf(config),
    seed,
  });

  const batches$ = weir
    .loader(train, { epochs: config.epochs, seed, block: config.batchSize })
    .pipe(weir.views(recipes, { seed, threads: config.workers }), weir.batch(config.batchSize, config));
  const updates$ = batches$.pipe(weir.train(model, { loss, optimizer: weir.sgd(config), regularizer, seed }));
  const ticks$ = updates$.pipe(
    weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
    weir.spectralTick(regularizer),
  );
  const epochs$ = updates$.pipe(weir.every({ epochs: config.testEvery }));
  const tests$ = epochs$.pipe(
    weir.onlineReadout(backbone, train, test, { images: config.readoutImages, fit: config.readoutFit, ...normalized }),
  );
  const sigmas$ = epochs$.pipe(weir.layerNorms(model));
  const classifiers$ = updates$.pipe(
    weir.atEnd(),
    weir.readout(backbone, fitted, test, { as: 'classifier', fit: config.readoutFit, ...last }),
  );
  const attacks$ = classifiers$.pipe(
    weir.tangentAttack(backbone, test, { ...config, samples: config.attacked, seed, ...last }),
  );
  const bounds = weir.whiteBoxAttacks(classifiers$, backbone, test, { ...config, seed, ...last });
  return { updates$, ticks$, tests$, sigmas$, classifiers$, attacks$, ...bounds };
}

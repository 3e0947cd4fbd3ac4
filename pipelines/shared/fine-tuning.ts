import type { Observable } from 'rxjs';
import * as weir from 'weir-engine';

const { z } = weir;

/** Keys of a fine-tuning. */
export const fineTuningKeys = (usual: Parameters<typeof weir.transferKeys>[0]) => ({
  ...weir.transferKeys(usual),
  ...weir.whiteBoxKeys({ whitebox: 0 }),
  workers: z.int().min(1).default(2).describe('threads that decode and augment'),
  testEvery: weir.changeable(z.int().min(1).default(1).describe('epochs from one test to the next'), 'any'),
});

type Config = weir.z.output<weir.z.ZodObject<ReturnType<typeof fineTuningKeys>>>;

/** The images of a fine-tuning. */
interface Images {
  readonly classes: readonly string[];
  /** The training images, augmented. */
  readonly samples$: Observable<weir.Samples>;
  /** The test images, of the size that the network sees, in bytes. */
  readonly test: weir.Dataset;
  /** The constants that the images were normalized with. */
  readonly normalize: weir.Normalization;
}

/** One of the networks of `eachTransfer`. */
interface Wiring {
  readonly config: Config;
  readonly network: ReturnType<typeof weir.eachTransfer<Config['regularizers'][number]>>[number];
  readonly seed: number;
}

/**
 * A pretrained network trained on under the regularizer of its fine-tuning, tested, and attacked at the end (paper, 4.5 and E.4).
 *
 * Its readout begins anew and has a learning rate of its own; both rates fall by the cosine.
 */
export function fineTuned({ classes, samples$, test, normalize }: Images, { config, network, seed }: Wiring) {
  const { size, batchSize, depth, stem, width, padding, precision, momentum, decay } = config;
  const shape = { depth, stem, width, padding, precision, inputSize: [size, size] as const };
  const model = weir.pretrainedModel(weir.resnet({ ...shape, classes: classes.length }), config, network);
  const regularizer = weir.regularizer(network.finetuned, model, {
    gamma: weir.gammaOf(
      { ...config, gammas: { 'batch-spectral-shrinkage': config.shrinkage, ...config.gammas } },
      network.finetuned,
    ),
    from: { epoch: config.burnIn },
    directions: weir.directionsOf(config, { authors: 'power' }),
    seed,
  });
  const falling = (rate: number) => weir.cosine(rate, { epochs: config.cosineEpochs });
  const optimizer = weir.sgd({
    rate: falling(config.rate),
    momentum,
    decay,
    rates: [{ weights: [model.readout.name], rate: falling(config.readoutRate) }],
  });

  const updates$ = samples$.pipe(
    weir.batch(batchSize, config),
    weir.train(model, { loss: weir.crossEntropy(), optimizer, regularizer, seed }),
  );
  const ticks$ = updates$.pipe(
    weir.every({ updates: config.tickEvery, from: { epoch: config.burnIn } }),
    weir.spectralTick(regularizer),
  );
  const tests$ = updates$.pipe(
    weir.every({ epochs: config.testEvery }),
    weir.accuracy(model, test, { normalize, batch: batchSize }),
  );
  const attacks$ = updates$.pipe(
    weir.atEnd(),
    weir.tangentAttack(model, test, { ...config, samples: config.attacked, normalize, seed }),
  );
  const bounds = weir.whiteBoxAttacks(updates$.pipe(weir.atEnd()), model, test, { ...config, normalize, seed });
  return { updates$, ticks$, tests$, attacks$, ...bounds };
}

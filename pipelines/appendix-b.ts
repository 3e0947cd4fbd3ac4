import * as weir from 'weir-engine';
import { quickCifar10 } from './shared/quick.js';

const { z } = weir;

/** A regularizer: how often its directions are refreshed, how, and at which image size σ is taken. */
interface Variant {
  readonly kind: 'none' | 'rep-spectral';
  readonly every: number;
  readonly size: number;
  readonly directions: 'krylov' | 'power' | 'exact';
}

/**
 * Two claims of appendix B on a ResNet for CIFAR-10, as measures.
 *
 * B.2: directions refreshed by one power iteration every 20 updates do as well as exact ones at every update. Networks
 * `every-20` and `exact`: the same seed, data and γ; compare σ per layer, accuracy and Δx. `krylov-20`, as seldom but nearer to the
 * exact ones, tells the effect of old directions from that of wrong ones.
 *
 * B.3: σ of a convolution depends on the size of its input, so the regularizer should use that of the test images. Networks
 * `size-16`, `size-24`, `size-48`: the regularizer takes σ as if images had that size; all are trained and tested at 32.
 */
export default weir.pipeline({
  name: 'appendix-b',
  title: 'How often directions are refreshed, and at which image size σ is taken',
  task: weir.cifar10Task,

  config: {
    ...weir.cifar10Keys(),
    sizes: z
      .array(z.int().min(8).multipleOf(8))
      .default([16, 24, 48])
      .describe('image sizes at which the regularizer takes σ, besides 32'),
    ...weir.trainingKeys({ epochs: 200, batchSize: 1024, rate: 0.01, decay: 1e-4 }),
    gamma: weir.ofRegularizer(z.number().min(0).default(0.01).describe('γ of equation 5')),
    burnIn: weir.ofRegularizer(z.int().min(0).default(160).describe('epochs before the regularizer acts')),
    ...weir.attackKeys({ attacked: 1000 }),
    ...weir.whiteBoxKeys({ whitebox: 0 }),
  },
  profiles: { quick: { ...quickCifar10, epochs: 8, batchSize: 64, burnIn: 5 } },

  networks({ sizes, burnIn, epochs }, seed) {
    const branch = burnIn > 0 && burnIn < epochs ? { branch: { of: 'none', epoch: burnIn } } : {};
    const variant = (name: string, regularizer: string, options: Partial<Variant>) => ({
      name,
      regularizer,
      seed,
      ...branch,
      ...({ kind: 'rep-spectral', every: 20, size: 32, directions: 'power', ...options } satisfies Variant),
    });
    return [
      { ...variant('none', 'none', { kind: 'none' }), branch: undefined },
      variant('every-20', 'rep-spectral: every 20', {}),
      variant('krylov-20', 'rep-spectral: Krylov, every 20', { directions: 'krylov' }),
      variant('exact', 'rep-spectral: exact', { every: 1, directions: 'exact' }),
      ...sizes.map((size) => variant(`size-${size}`, `rep-spectral: at ${size}`, { size })),
    ];
  },

  wire({ config, network, seed }) {
    const { train, test } = weir.cifar10({ data: config.data, train: config.images, test: config.testImages });
    const { depth, width } = config;
    const model = weir.resnet({ depth, width, stem: 'cifar', inputSize: [32, 32], classes: 10 });
    const regularizer = weir.spectralRegularizer(network.kind, model, {
      gamma: config.gamma,
      from: { epoch: config.burnIn },
      directions: network.directions,
      imageSize: [network.size, network.size],
      seed,
    });

    const updates$ = weir
      .loader(train, { epochs: config.epochs, seed, block: config.batchSize })
      .pipe(
        weir.augment(
          [
            weir.randomCrop({ padding: 4 }),
            weir.horizontalFlip(),
            weir.unitScale(),
            weir.normalize(weir.cifar10Statistics),
          ],
          { seed },
        ),
        weir.batch(config.batchSize, config),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd(config), regularizer, seed }),
      );
    const ticks$ = updates$.pipe(
      weir.every({ updates: network.every, from: { epoch: config.burnIn } }),
      weir.spectralTick(regularizer),
    );
    const epochs$ = updates$.pipe(weir.every({ epochs: 1 }));
    const tests$ = epochs$.pipe(weir.accuracy(model, test, { normalize: weir.cifar10Statistics }));
    const sigmas$ = epochs$.pipe(weir.layerNorms(model));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, test, {
        ...config,
        samples: config.attacked,
        normalize: weir.cifar10Statistics,
        seed,
        certificate: { points: 8, steps: 8 },
      }),
    );
    const bounds = weir.whiteBoxAttacks(updates$.pipe(weir.atEnd()), model, test, {
      ...config,
      normalize: weir.cifar10Statistics,
      seed,
    });
    return { updates$, ticks$, tests$, sigmas$, attacks$, ...bounds };
  },
});

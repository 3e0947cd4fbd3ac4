/** Samples that a quick profile attacks, and iterations on each. */
const quickAttack = { attacked: 4, iterations: 3 };

/** Values with which an experiment on CIFAR-10 ends within minutes on 2 cores. */
export const quickCifar10 = { ...quickAttack, images: 2000, testImages: 500, width: 16, rate: 0.05 };

/** A ResNet-18 of images of 32 pixels, narrow enough for the same. */
export const quickNetwork = { depth: 18, stem: 'cifar', width: 8, size: 32, batchSize: 64 } as const;

/** A fine-tuning that ends within minutes. */
export const quickFineTuning = { ...quickNetwork, ...quickAttack, seeds: 1, rate: 0.005, readoutRate: 0.02 };

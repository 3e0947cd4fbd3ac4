import type { Dataset } from '../data/dataset.js';
import { split } from '../data/split.js';
import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import { directionKinds, type PowerOptions } from '../learn/spectral/power.js';
import { type BlackBoxAttack, blackBoxNames } from '../measure/attack/configured-attacks.js';
import { fitMethods } from '../measure/readout/logistic.js';
import { changeable, folder, ofRegularizer, z } from './config.js';

/**
 * Keys of a config that most experiments share; each experiment gives its own defaults.
 *
 * @module
 */

/** Refuses a list that names something twice. */
const eachOnce = (all: readonly string[], context: z.RefinementCtx): void => {
  const twice = all.find((one, i) => all.indexOf(one) !== i);
  if (twice !== undefined) context.addIssue({ code: 'custom', message: `'${twice}' is named twice` });
};

/** Keys of stochastic gradient descent: its length, batches, rate and decay. */
export const trainingKeys = (usual: {
  readonly epochs: number;
  readonly batchSize: number;
  readonly rate: number;
  readonly decay: number;
  /** Whether the samples at the end of an epoch that do not fill a batch are kept. */
  readonly partial?: 'keep' | 'drop';
}) => {
  const {
    epochs,
    batchSize,
    rate,
    decay,
    partial = 'keep',
  } = checkOptions('trainingKeys', usual, {
    epochs: 'required',
    batchSize: 'required',
    rate: 'required',
    decay: 'required',
    partial: 'optional',
  });
  return {
    epochs: changeable(z.int().min(1).default(epochs), 'grows'),
    batchSize: z.int().min(1).default(batchSize).describe('samples an update'),
    partial: z
      .enum(['keep', 'drop'])
      .default(partial)
      .describe('whether samples at the end of an epoch that do not fill a batch are kept'),
    rate: z.number().positive().default(rate).describe('learning rate'),
    momentum: z.number().min(0).lt(1).default(0.9),
    decay: z.number().min(0).default(decay).describe('weight decay, on all parameters'),
  };
};

/** Keys of CIFAR-10 and of its ResNet. */
export const cifar10Keys = () => ({
  data: folder().default('data/cifar10').describe("folder with CIFAR-10's binary files, plain or gzip"),
  images: z.int().min(1).default(50_000).describe('training images to take'),
  testImages: z.int().min(1).default(10_000).describe('test images to take'),
  depth: z.literal([18, 34, 50]).default(18),
  width: z.int().min(1).default(64).describe('channels of the first stage'),
});

/** Keys of convolutions: padding, precision, and how their singular directions are found. */
export const convolutionKeys = () => ({
  padding: z.enum(['circular', 'zero']).default('circular'),
  precision: z.enum(['float32', 'bfloat16']).default('float32').describe('precision of products; weights are float32'),
  directions: ofRegularizer(
    z
      .enum(['usual', ...directionKinds])
      .default('usual')
      .describe(
        "how ticks find singular directions: in Krylov spaces (usual), by the paper's power iteration, exactly, or by Gram iteration, an upper bound of σ with its gradient",
      ),
  ),
});

/**
 * How ticks find the directions of convolutions. The paper takes one step of power iteration. The default here is a Krylov space of a few of
 * the same products: it is within 1 % of the exact σ where power iteration may be 20 % off.
 *
 * @param authors the default under `protocol=authors`
 * @example regularizer('rep-spectral', model, { gamma: 1e-3, directions: directionsOf(config) })
 */
export function directionsOf(
  config: { readonly directions: 'usual' | PowerOptions['directions']; readonly protocol?: 'paper' | 'authors' },
  options: { readonly authors?: PowerOptions['directions'] } = {},
): PowerOptions['directions'] {
  const { authors = 'exact' } = checkOptions('directionsOf', options, { authors: 'optional' });
  const { directions, protocol } = checkOptions('config of directionsOf', config, {
    directions: 'required',
    protocol: 'optional',
  });
  if (directions !== 'usual') return directions;
  return protocol === 'authors' ? authors : 'krylov';
}

/**
 * Keys of regularizers: which, how strong, from which epoch on, for how many seeds. `gamma`, `gammas`, `burnIn` and `tickEvery` act on regularizers
 * alone: a network of regularizer 'none' is wired with their defaults (see `ofRegularizer`).
 */
export const regularizerKeys = <const K extends readonly [string, ...string[]]>(
  kinds: K,
  usual: {
    readonly regularizers: readonly K[number][];
    readonly gamma: number;
    readonly burnIn: number;
    readonly tickEvery?: number;
  },
) => {
  const {
    regularizers,
    gamma,
    burnIn,
    tickEvery = 1,
  } = checkOptions('regularizerKeys', usual, {
    regularizers: 'required',
    gamma: 'required',
    burnIn: 'required',
    tickEvery: 'optional',
  });
  return {
    regularizers: z
      .array(z.enum(kinds))
      .min(1)
      .superRefine(eachOnce)
      .default([...regularizers])
      .describe('a network for each'),
    seeds: z.int().min(1).default(10).describe('networks of each, seeded from --seed on'),
    gamma: ofRegularizer(z.number().min(0).default(gamma).describe('γ of equations 5 and 6')),
    gammas: ofRegularizer(
      z
        .partialRecord(z.enum(kinds), z.number().min(0))
        .default({})
        .describe('γ of single regularizers, where it is not `gamma`: {"KIND":0.01}'),
    ),
    burnIn: ofRegularizer(z.int().min(0).default(burnIn).describe('epochs before the regularizer acts')),
    tickEvery: ofRegularizer(
      z.int().min(1).default(tickEvery).describe('updates from one refresh of the directions to the next'),
    ),
  };
};

/**
 * Keys of `projectedGradient` for networks of kind 'adversarial-training'.
 *
 * @param usual ε by default, in the units of the model's inputs
 * @example const keys = { ...attackKeys({ attacked: 1000 }), ...adversaryKeys({ epsilon: 1.5 }) }
 */
export const adversaryKeys = (usual: { readonly epsilon: number }) => {
  const { epsilon } = checkOptions('adversaryKeys', usual, { epsilon: 'required' });
  return {
    epsilon: ofRegularizer(
      z.number().positive().default(epsilon).describe('ε of adversarial-training, l2, in units of the inputs'),
    ),
    adversarySteps: ofRegularizer(
      z.int().min(1).default(7).describe('gradient steps of adversarial-training at each batch'),
    ),
  };
};

/**
 * The strength of a regularizer of that kind: its own of the key `gammas`, or else `gamma`.
 *
 * @example gammaOf({ gamma: 0.01, gammas: { 'weight-decay': 0.002 } }, 'weight-decay') // 0.002; of 'rep-spectral' 0.01
 */
export const gammaOf = (
  { gamma, gammas = {} }: { readonly gamma: number; readonly gammas?: Readonly<Record<string, number | undefined>> },
  kind: string,
): number => (Object.hasOwn(gammas, kind) ? gammas[kind] : undefined) ?? gamma;

/** The part of the training images that `evaluateOn=validation` holds back. */
const HELD_BACK = 0.1;

/** The key that says which images a network is measured on. */
export const evaluationKeys = () => ({
  evaluateOn: z
    .enum(['test', 'validation'])
    .default('test')
    .describe(
      'images that are measured and attacked: those for testing, or a tenth of the training images, held back from training; tune on the latter',
    ),
});

/**
 * Training and test images as they are, or a tenth of the training images, of every class alike, in the place of the test images. The tenth is
 * the same for all networks and seeds.
 *
 * @example const { train, test } = evaluationOf(mnist({ data: 'embedded' }), { evaluateOn: 'validation' });
 */
export function evaluationOf<D extends Dataset>(
  { train, test }: { readonly train: D; readonly test: D },
  { evaluateOn }: { readonly evaluateOn: 'test' | 'validation' },
): { readonly train: D; readonly test: D } {
  if (evaluateOn === 'test') return { train, test };
  const parts = split(train, { test: HELD_BACK, seed: 0 });
  return { train: parts.train, test: { ...parts.test, name: `${train.name}/validation` } };
}

/** Keys of readouts that are fitted to frozen features. */
export const readoutKeys = () => ({
  readoutFit: z
    .enum(fitMethods)
    .default('scikit-learn')
    .describe("by scikit-learn's default (the paper's), which ends after 100 iterations, or until it has converged"),
});

/** Keys of the Tangent Attack: how many samples, and which, and how many iterations on each. */
export const attackKeys = (usual: { readonly attacked: number }) => {
  const { attacked } = checkOptions('attackKeys', usual, { attacked: 'required' });
  return {
    attacked: changeable(
      z.int().min(1).default(attacked).describe('test samples to attack, in an order shuffled by the seed'),
      'any',
    ),
    iterations: changeable(z.int().min(1).default(40).describe('T of the Tangent Attack'), 'any'),
    protocol: z
      .enum(['paper', 'authors'])
      .default('paper')
      .describe("whose variant, where the paper's and the authors' differ"),
    choose: changeable(
      z
        .enum(['correct', 'all'])
        .default('correct')
        .describe(
          "attack the first of the shuffled samples that a network gets right (the paper's), or the first of all: the same for all networks of a seed",
        ),
      'any',
    ),
  };
};

/**
 * The keys of white-box attacks beside it, whose points are upper bounds of Δx: how many samples DDN takes, and whether they have lower ones;
 * and the ε of APGD, which has no default, so that the config of a run without it is the one that it was before there was such a key.
 *
 * @example const keys = { ...attackKeys({ attacked: 1000 }), ...whiteBoxKeys({ whitebox: 0 }) }
 */
export const whiteBoxKeys = (usual: { readonly whitebox: number }) => {
  const { whitebox } = checkOptions('whiteBoxKeys', usual, { whitebox: 'required' });
  return {
    whitebox: changeable(
      z
        .int()
        .min(0)
        .default(whitebox)
        .describe(
          'test samples whose Δx is bounded by gradients too (DDN), in the order of the attacked ones; 0 for none',
        ),
      'any',
    ),
    bothSides: changeable(
      z
        .boolean()
        .default(true)
        .describe('a proved lower bound of Δx for each of those samples, by plain CROWN or Lemma 1'),
      'any',
    ),
    apgd: changeable(
      z
        .number()
        .min(0)
        .optional()
        .describe(
          'ε, in units of the inputs, at which APGD checks the robust accuracy that the other attacks leave; 0 for no such check',
        ),
      'any',
    ),
  };
};

/**
 * The key of black-box attacks besides the Tangent Attack, on the same samples: `blackBoxAttacks` makes their streams.
 *
 * @example const keys = { ...attackKeys({ attacked: 1000 }), ...blackBoxKeys({ blackbox: [] }) }
 */
export const blackBoxKeys = (usual: { readonly blackbox: readonly BlackBoxAttack[] }) => {
  const { blackbox } = checkOptions('blackBoxKeys', usual, { blackbox: 'required' });
  return {
    blackbox: changeable(
      z
        .array(z.enum(blackBoxNames))
        .superRefine(eachOnce)
        .default([...blackbox])
        .describe('black-box attacks on the attacked samples besides the Tangent Attack; [] for none'),
      'any',
    ),
  };
};

/** Keys that decide how networks are trained and readouts fitted. `regularizers` and `seeds` only decide which networks there are. */
const trainingOnly = [
  ...Object.keys(trainingKeys({ epochs: 1, batchSize: 1, rate: 1, decay: 0 })),
  'gamma',
  'gammas',
  'burnIn',
  'tickEvery',
  ...Object.keys(adversaryKeys({ epsilon: 1 })),
  ...Object.keys(convolutionKeys()),
  ...Object.keys(readoutKeys()),
  ...Object.keys(evaluationKeys()), // what is held back from training was not held back from networks trained otherwise
  'profile',
];

/**
 * Checks which keys an attack on trained networks changes. A changed key of training would only falsify the report: distances of networks
 * trained with γ = 0.02 would stand under γ = 0.5.
 *
 * @param tell receives a line about each changed key of the pipeline's own, for only the pipeline knows its effect
 * @throws {WeirError} names a changed key of training with both values
 */
export function checkAttackKeys(
  before: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
  tell: (line: string) => void,
): void {
  const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const changed = Object.keys(before).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(config[key]));
  const fixed = changed.find((key) => trainingOnly.includes(key));
  if (fixed !== undefined) {
    throw new WeirError(
      `the networks were trained with ${fixed}=${shown(before[fixed])}, which an attack cannot change to ${shown(config[fixed])}`,
      `leave ${fixed} out, or train other networks by \`weir run\``,
    );
  }
  const known = Object.keys({
    ...attackKeys({ attacked: 1 }),
    ...whiteBoxKeys({ whitebox: 0 }),
    ...blackBoxKeys({ blackbox: [] }),
  });
  for (const key of changed.filter((key) => !known.includes(key))) {
    tell(`${key}=${shown(config[key])} acts on the attack alone: the networks were trained with ${shown(before[key])}`);
  }
}

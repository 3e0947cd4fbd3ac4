import { WeirError } from '../flow/errors.js';
import { checkOptions, type OptionKeys } from '../flow/options.js';
import type { Model } from '../learn/model/model.js';
import { startingFrom } from '../learn/weights/pretrained.js';
import { type Transfer, transferred } from '../plot/style.js';
import { folder, ofRegularizer, z } from './config.js';
import { attackKeys, convolutionKeys, regularizerKeys, trainingKeys } from './config-keys.js';
import type { Network } from './pipeline.js';
import { networksOf } from './trained-network.js';
import { fromRun } from './weights.js';

export interface NetworkGrid<K extends string> {
  readonly regularizers: readonly K[];
  /** How many seeds, from `seed` on. */
  readonly seeds?: number;
  readonly seed: number;
  /** Epochs before the regularizers act: networks then branch off the unregularized one of their seed, where there is one. */
  readonly burnIn?: number;
  /** Epochs in all. */
  readonly epochs?: number;
}

/** The kind of a network that learns from perturbed batches from its first update on, so that it branches off no other. */
const adversarialTraining = 'adversarial-training';

/**
 * A network for each seed and regularizer: 'rep-spectral', or with several seeds 'rep-spectral-s3'.
 *
 * @example eachRegularizer({ regularizers: ['none', 'rep-spectral'], seeds: 3, seed: 0 }) // six networks, 'none-s0' to 'rep-spectral-s2'
 */
export function eachRegularizer<K extends string>(options: NetworkGrid<K>): (Network & { readonly regularizer: K })[] {
  const {
    regularizers,
    seeds = 1,
    seed,
    burnIn = 0,
    epochs = Number.POSITIVE_INFINITY,
  } = checkOptions('eachRegularizer', options, {
    regularizers: 'required',
    seeds: 'optional',
    seed: 'required',
    burnIn: 'optional',
    epochs: 'optional',
  });
  const twice = regularizers.find((kind, i) => regularizers.indexOf(kind) !== i);
  if (twice !== undefined) {
    throw new WeirError(
      `regularizers lists '${twice}' twice`,
      'list each once; `seeds` or another --seed gives more networks of each',
    );
  }
  const unregularized = regularizers.find((kind) => kind === 'none');
  const branching = burnIn > 0 && burnIn < epochs && unregularized !== undefined;
  const order = branching ? [unregularized, ...regularizers.filter((kind) => kind !== unregularized)] : regularizers;
  return Array.from({ length: seeds }, (_, i) => seed + i).flatMap((seed) => {
    const named = (regularizer: string): string => (seeds === 1 ? regularizer : `${regularizer}-s${seed}`);
    return order.map((regularizer) => ({
      name: named(regularizer),
      regularizer,
      seed,
      ...(branching &&
        regularizer !== unregularized &&
        regularizer !== adversarialTraining && { branch: { of: named(unregularized), epoch: burnIn } }),
    }));
  });
}

/** Regularizers of a fine-tuning. */
const kinds = ['none', 'rep-spectral', 'batch-spectral-shrinkage', 'l2-sp'] as const;

/** Keys of an experiment that fine-tunes pretrained residual networks and attacks them. */
export const transferKeys = (usual: {
  readonly epochs: number;
  readonly rate: number;
  readonly readoutRate: number;
  readonly seeds: number;
}) => {
  const { epochs, rate, readoutRate, seeds } = checkOptions('transferKeys', usual, {
    epochs: 'required',
    rate: 'required',
    readoutRate: 'required',
    seeds: 'required',
  });
  return {
    from: folder('').default('').describe('run of pipeline imagenet-pretrain whose networks are fine-tuned'),
    weights: folder('')
      .default('')
      .describe('or a safetensors file of a network pretrained without a regularizer, with the names of torchvision'),
    repSpectralWeights: folder('').default('').describe('the same, pretrained with rep-spectral'),
    depth: z.literal([18, 20, 34, 50]).default(50),
    stem: z.enum(['cifar', 'imagenet']).default('imagenet'),
    width: z.int().min(1).default(64).describe('channels of the first stage'),
    size: z.int().min(8).default(224).describe('pixels of each side of an input image'),
    ...convolutionKeys(),
    padding: z
      .enum(['circular', 'zero'])
      .optional()
      .describe('circular by default; must be given where the file of weights does not say it: zero for torchvision'),
    ...regularizerKeys(kinds, {
      regularizers: ['none', 'rep-spectral', 'batch-spectral-shrinkage'],
      gamma: 0.002,
      burnIn: 0,
      tickEvery: 15,
    }),
    seeds: z.int().min(1).default(seeds).describe('networks of each kind, with seeds from --seed on'),
    shrinkage: ofRegularizer(z.number().min(0).default(0.001).describe('γ of batch spectral shrinkage')),
    ...trainingKeys({ epochs, rate, batchSize: 64, decay: 1e-4 }),
    readoutRate: z.number().positive().default(readoutRate).describe('learning rate of the readout'),
    cosineEpochs: z
      .int()
      .min(1)
      .default(200)
      .describe('epochs until the rate is 0; after them it rises again, as in PyTorch'),
    ...attackKeys({ attacked: 500 }),
  };
};

export interface PretrainedFiles {
  readonly from: string;
  readonly weights: string;
  readonly repSpectralWeights: string;
}

const pretrainedKeys: OptionKeys<PretrainedFiles> = {
  from: 'required',
  weights: 'required',
  repSpectralWeights: 'required',
};

/** A network that is trained for the second time. */
export interface TransferNetwork<K extends string> extends Network, Transfer {
  readonly finetuned: K;
}

/**
 * A network for each pretraining, each regularizer of the fine-tuning and each seed, such as 'rep-spectral-then-none-s3': the
 * combinations of figure 8.
 *
 * @throws {WeirError} where no pretrained network is named, or by a run and by a file
 * @example eachTransfer({ from: 'runs/pretrained', weights: '', repSpectralWeights: '', regularizers: ['none', 'rep-spectral'], seeds: 3, seed: 0 })
 */
export function eachTransfer<K extends string>(
  options: PretrainedFiles & { readonly regularizers: readonly K[]; readonly seeds: number; readonly seed: number },
): TransferNetwork<K>[] {
  const { regularizers, seeds, seed, ...pretrained } = checkOptions('eachTransfer', options, {
    ...pretrainedKeys,
    regularizers: 'required',
    seeds: 'required',
    seed: 'required',
  });
  const first = pretrainings(pretrained);
  return Array.from({ length: seeds }, (_, i) => seed + i).flatMap((seed) =>
    first.flatMap((pretrained) =>
      regularizers.map((finetuned) => ({
        name: `${pretrained}-then-${finetuned}${seeds === 1 ? '' : `-s${seed}`}`,
        regularizer: transferred({ pretrained, finetuned }),
        seed,
        pretrained,
        finetuned,
      })),
    ),
  );
}

/**
 * The model with pretrained weights and a fresh readout.
 *
 * @example pretrainedModel(model, { from: 'runs/pretrained', weights: '', repSpectralWeights: '' }, { pretrained: 'none', finetuned: 'none' })
 */
export function pretrainedModel(model: Model, options: PretrainedFiles, { pretrained }: Transfer): Model {
  const { from, ...files } = checkOptions('pretrainedModel', options, pretrainedKeys);
  const fresh = [model.readout.name];
  if (from !== '') {
    const network = networksOf(from).find(({ regularizer }) => regularizer === pretrained)!.name;
    return startingFrom(model, fromRun(from, { network }), { fresh });
  }
  return startingFrom(model, pretrained === 'none' ? files.weights : files.repSpectralWeights, { fresh });
}

function pretrainings({ from, weights, repSpectralWeights }: PretrainedFiles): string[] {
  const files = [...(weights ? ['none'] : []), ...(repSpectralWeights ? ['rep-spectral'] : [])];
  if (from !== '' && files.length > 0) {
    throw new WeirError('pretrained networks are named by a run and by a file', 'give from, or weights, not both');
  }
  if (from === '' && files.length === 0) {
    throw new WeirError(
      'no pretrained network is named',
      'name a run of imagenet-pretrain, --set from=RUN, or a file, --set weights=FILE.safetensors, or use weir reproduce',
    );
  }
  return from === '' ? files : networksOf(from).map(({ regularizer }) => regularizer);
}

import type { NetworkReport } from '../../../src/measure/networks/record.js';
import { transferred } from '../../../src/plot/transfer.js';
import { network } from '../example.js';
import { attacked, falling } from './made-up-parts.js';
import { counterRandom } from './random.js';

export const PRETRAINED = ['none', 'rep-spectral'] as const;
export const FINETUNED = ['none', 'rep-spectral', 'batch-spectral-shrinkage'] as const;

const LOSS = { none: 0, 'rep-spectral': 0.04, 'batch-spectral-shrinkage': 0.06 };

/** A network that was pretrained and fine-tuned: pretraining under rep-spectral gains a quarter, a regularizer afterwards costs. */
export function transferNetwork(
  pretrained: (typeof PRETRAINED)[number],
  finetuned: (typeof FINETUNED)[number],
  seed: number,
  { pipeline = 'finetune-cifar10', setting = '', n = 12 } = {},
): NetworkReport {
  const random = counterRandom(`${pipeline} ${setting} ${pretrained} ${finetuned} ${seed}`);
  const level = 0.5 * (pretrained === 'none' ? 1 : 1.25) - LOSS[finetuned] + 0.012 * random.normal();
  const samples = Array.from({ length: n }, (_, index) =>
    attacked(index, index % 10, level * Math.exp(0.4 * random.normal()), 0.002),
  );
  const accuracy = 0.964 - (pretrained === 'none' ? 0 : 0.002) + 0.0008 * random.normal();
  return network(transferred({ pretrained, finetuned }), seed, [], {
    ...{ pipeline, setting, sampleShape: [224, 224, 3], epochs: 50, burnIn: null, sigma: {} },
    ...{ testAccuracy: accuracy, attack: { iterations: 40, samples } },
    curves: {
      'training loss': falling(50, 50, random.normal()),
      'test accuracy': falling(50, 10, 0).map(({ epoch, value }) => ({ epoch, value: accuracy - value / 3 })),
    },
  });
}

/** All six combinations of figure 8. */
export const transfers = (seeds: number, options: Parameters<typeof transferNetwork>[3] = {}): NetworkReport[] =>
  PRETRAINED.flatMap((pretrained) =>
    FINETUNED.flatMap((finetuned) =>
      Array.from({ length: seeds }, (_, seed) => transferNetwork(pretrained, finetuned, seed, options)),
    ),
  );

import { WeirError } from '../../flow/errors.js';
import type { AnyDataset } from '../feed-dataset.js';

/** Of a sample that ends each thread that takes it. @param patience milliseconds */
export const deadly = (
  { dataset, epoch }: { readonly dataset: AnyDataset; readonly epoch: number },
  index: number,
  tries: number,
  patience: number,
  cause: unknown,
): WeirError =>
  new WeirError(
    `sample ${index} of '${dataset.name}' ended ${tries} worker threads in epoch ${epoch}, or hung for ${patience / 1000} s: ${(cause as Error).message}`,
    'look at that sample, or leave ops out of the recipe to find which one it is',
    { cause },
  );

export const cannotStart = (cause: unknown): WeirError =>
  new WeirError(
    `the worker threads for augmentation do not start: ${(cause as Error).message}`,
    "run 'npx tsx workers/augment.ts' in Weir's folder to see the cause; a limit on threads or memory may be it too",
    { cause },
  );

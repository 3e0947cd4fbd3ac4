import type { Header, TrainingLength } from '../flow/header.js';
import type { Optimizer } from './optimizer/optimizer.js';
import type { Regularizer } from './regularizer/regularizer.js';

/**
 * The length of a training by the headers of its batches; undefined where no loader, or more than one, tells how many epochs there are.
 *
 * @param accumulate batches of an update
 */
export function trainingLength([header, ...others]: readonly Header[], accumulate = 1): TrainingLength | undefined {
  if (header?.epochs === undefined || others.length > 0) return undefined;
  const { epochs, batches } = header;
  return { epochs, ...(batches && { updates: epochs * Math.ceil(batches.count / accumulate) }) };
}

/** Headers that tell the stages behind a training step how long the training is. */
export const withLength = (headers: readonly Header[], training: TrainingLength | undefined): readonly Header[] =>
  training === undefined ? headers : (headers.length === 0 ? [{}] : headers).map((one) => ({ ...one, training }));

/** What never comes in a training of that length, a line each: a regularizer behind its burn-in, and the whole learning rate. */
export function remarksOnLength(
  { epochs, updates }: TrainingLength,
  {
    regularizer,
    rate,
  }: { readonly regularizer?: Pick<Regularizer, 'kind' | 'active'>; readonly rate: Optimizer['rate'] },
): string[] {
  const late = regularizer?.active(epochs) === false && regularizer.active(Number.MAX_SAFE_INTEGER);
  const { warmUp = 0 } = rate;
  return [
    ...(late
      ? [`the regularizer '${regularizer.kind}' never acts: the training ends with epoch ${epochs}, within its burn-in`]
      : []),
    ...(updates !== undefined && warmUp > updates
      ? [
          `the learning rate never comes to its whole: its warm-up is of ${warmUp} updates, and the training of ${updates}`,
        ]
      : []),
  ];
}

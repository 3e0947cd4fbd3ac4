import { transferred } from '../../plot/transfer.js';
import type { Line } from './lines.js';

/** What the log says of a network. */
interface Said {
  readonly pipeline: string;
  readonly name: string;
  /** Its line of the stream 'network'. */
  readonly about: Line;
  /** Its own updates, as logged; without those of a network that it branched off. */
  readonly updates: readonly Line[];
}

/**
 * What a network was regularized with, in one word: as its pipeline lists it, else as its training step says; its name where neither
 * does. 'none' only where there was none: never by default, and not against the training step. Of a network that was trained twice
 * both, in a form that the report takes apart.
 */
export function regularizerOf({ pipeline, name, about, updates }: Said): string {
  const { regularizer, pretrained, finetuned } = about;
  if (typeof pretrained === 'string' && typeof finetuned === 'string') return transferred({ pretrained, finetuned });
  const acted = updates.findLast((line) => typeof line.regularizer === 'string')?.regularizer as string | undefined;
  if (typeof regularizer === 'string' && regularizer !== 'none') return regularizer;
  if (acted !== undefined) return acted;
  // Earlier versions gave the only network of a pipeline that lists none its name and 'none', whatever it was trained with.
  const listed = regularizer === 'none' && name !== pipeline;
  return listed ? 'none' : name;
}

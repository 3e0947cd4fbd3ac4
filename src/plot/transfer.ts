/** The regularizers of a network that was trained twice: while it was pretrained, and while it was fine-tuned. */
export interface Transfer {
  readonly pretrained: string;
  readonly finetuned: string;
}

/** 'rep-spectral > none': pretrained under rep-spectral, fine-tuned without a regularizer. */
const AFTER = ' > ';

/** What such a network's regularizer is called. */
export const transferred = ({ pretrained, finetuned }: Transfer): string => `${pretrained}${AFTER}${finetuned}`;

/** Both regularizers of a name that `transferred` made; null for a network that was trained once. */
export function transferOf(regularizer: string): Transfer | null {
  const [pretrained, finetuned, more] = regularizer.split(AFTER);
  return pretrained && finetuned && more === undefined ? { pretrained, finetuned } : null;
}

/** Whether a network never met a regularizer: what the others are compared with. */
export function unregularized(regularizer: string): boolean {
  const both = transferOf(regularizer);
  return both ? both.pretrained === 'none' && both.finetuned === 'none' : regularizer === 'none';
}

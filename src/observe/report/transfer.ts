/** The regularisers of a network that was trained twice: while it was pretrained, and while it was fine-tuned. */
export interface Transfer {
  readonly pretrained: string;
  readonly finetuned: string;
}

/** 'rep-spectral > none': pretrained under rep-spectral, fine-tuned without a regulariser. */
const AFTER = ' > ';

/** What such a network's regulariser is called. */
export const transferred = ({ pretrained, finetuned }: Transfer): string => `${pretrained}${AFTER}${finetuned}`;

/** Both regularisers of a name that `transferred` made; null for a network that was trained once. */
export function transferOf(regulariser: string): Transfer | null {
  const [pretrained, finetuned, more] = regulariser.split(AFTER);
  return pretrained && finetuned && more === undefined ? { pretrained, finetuned } : null;
}

/** Whether a network never met a regulariser: what the others are compared with. */
export function unregularised(regulariser: string): boolean {
  const both = transferOf(regulariser);
  return both ? both.pretrained === 'none' && both.finetuned === 'none' : regulariser === 'none';
}

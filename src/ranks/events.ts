import type { RankReport } from './told.js';

/** How the process of a rank ended. */
export interface End {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What is heard of a rank. */
export type RankEvent = RankReport | ({ readonly kind: 'ended' } & End) | Missing;

/** Its supervisor cannot be reached: `how`, such as 'is gone'. */
export interface Missing {
  readonly kind: 'missing';
  readonly how: string;
}

/** Exit status of a run, and why it is that where it is not simply done or stopped. */
export interface Verdict {
  readonly status: number;
  readonly why?: string;
}

import type { Curve } from './thinned.js';

/** An attacked sample: its network and number, how far the adversarial one is, and the bounds of that where there are any. */
export interface Attacked {
  readonly network: string;
  /** Which of the run's attacks, and on the weights of which update. */
  readonly stream: string;
  readonly number: number;
  readonly index: number;
  readonly outcome: string;
  readonly distance: number | null;
  readonly lower: number | null;
}

export interface CurveKey {
  readonly network: string;
  readonly stream: string;
  readonly field: string;
}

export type NamedCurve = CurveKey & { readonly curve: Curve; readonly from: number };

/** A curve's newest value. */
export type Newest = CurveKey & { readonly value: number };

/** What was added to a log, or all of it. */
export interface LogNews {
  readonly curves: readonly NamedCurve[];
  readonly attacks: readonly Attacked[];
}

/** What is going on, as plain data: all that the terminal shows. What is not known yet is null. */
export interface ProgressView {
  readonly pipeline: string;
  readonly network: {
    readonly name: string;
    /** 1-based. */
    readonly index: number;
    readonly of: number;
  };
  /** 'training', 'attack', 'testing', 'report', …: one word or two. */
  readonly phase: string;
  /** 1-based; 0 before the first; null where a resumed run has not told yet. */
  readonly epoch: number | null;
  readonly epochs: number;
  readonly update: number;
  readonly updates: number;
  readonly loss: number | null;
  /** A fraction. */
  readonly testAccuracy: number | null;
  /** Top singular value per layer. */
  readonly sigma: Readonly<Record<string, number>>;
  /** As 'samples/s' or 'updates/s'. */
  readonly rate: { readonly value: number; readonly unit: string } | null;
  readonly secondsLeft: number | null;
  /** The stage that the others wait for. */
  readonly bottleneck: string | null;
  /** How ranks wait for each other, in words; null where there is one process alone. */
  readonly ranks: string | null;
  readonly attacked?: { readonly done: number; readonly of: number; readonly meanDistance: number | null };
  readonly snapshot?: { readonly update: number; readonly secondsAgo: number };
}

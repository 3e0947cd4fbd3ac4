/** What a report is made of: plain data, gathered by `run/` from the folders of one or many runs. */
export interface Report {
  readonly title: string;
  readonly pipeline: string;
  /** ISO 8601, with time zone. */
  readonly createdAt: string;
  /** Version of Weir. */
  readonly weir: string;
  /** Processor, cores, memory, in words. */
  readonly machine: string;
  /** TensorFlow's version and backend, Node's version. */
  readonly runtime: string;
  readonly config: Record<string, unknown>;
  readonly networks: readonly NetworkReport[];
  /** Whatever else a reader should know, a sentence each. */
  readonly notes: readonly string[];
}

/** One trained network. */
export interface NetworkReport {
  readonly name: string;
  readonly pipeline: string;
  readonly regulariser: string;
  readonly seed: number;
  /** The run's folder, as the user named it. */
  readonly run: string;
  readonly updates: number;
  readonly epochs: number;
  readonly seconds: number | null;
  /** Fraction of test samples classified as labelled. */
  readonly testAccuracy: number | null;
  /** Of one sample, as the dataset holds it: [28, 28], [784], [32, 32, 3], [2]. */
  readonly sampleShape: readonly number[];
  readonly classes: readonly string[];
  /** By what was measured: 'training loss', 'test loss', 'test accuracy' (a fraction), …; in order of epoch. */
  readonly curves: Readonly<Record<string, readonly CurvePoint[]>>;
  /** Top singular value per layer, in the order of the network. */
  readonly sigma: Readonly<Record<string, readonly CurvePoint[]>>;
  /** Epochs trained before the penalty is switched on; null where there is none. */
  readonly burnIn: number | null;
  readonly attack: { readonly iterations: number; readonly samples: readonly AttackedSample[] } | null;
}

/** A measured value; an epoch that is not whole lies within one. */
export interface CurvePoint {
  readonly epoch: number;
  readonly value: number;
}

/** What the attack made of one test sample. Distances are l2, in the units of the network's input. */
export interface AttackedSample {
  /** Position in the test set: the same sample has the same index under every network. */
  readonly index: number;
  readonly label: number;
  /** What the network says of the sample as it is. */
  readonly predicted: number;
  readonly adversarialLabel: number | null;
  readonly outcome: string;
  /** Δx of the verified adversarial sample; null where none was found. */
  readonly distance: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  /** Forward passes asked for. */
  readonly queries: number;
  readonly original?: Float32Array;
  readonly adversarial?: Float32Array;
}

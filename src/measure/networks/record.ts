import type { FigureRequest } from '../../plot/figure.js';

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
  /** The figures that each pipeline asks for, by its name. */
  readonly figures?: Readonly<Record<string, readonly FigureRequest[]>>;
  /** Whatever else a reader should know, a sentence each. */
  readonly notes: readonly string[];
  /** What differs between runs of one pipeline; none of those that differ in their seed alone. */
  readonly differences?: readonly Differences[];
  /** The report that this one is a part of, as a figure is given it; none of a whole one. */
  readonly whole?: Report;
}

/** Runs of one pipeline that were not made alike. */
export interface Differences {
  readonly pipeline: string;
  /** What differs: keys of the config, and 'module', 'data' and 'ranks' where those do. */
  readonly keys: readonly string[];
  readonly conditions: readonly Condition[];
}

/** Runs that were made alike, but for the seed. */
export interface Condition {
  readonly setting: string;
  /** For each key its value, as text; null where these runs have no such key. */
  readonly values: readonly (string | null)[];
  readonly runs: readonly string[];
}

/** One trained network. */
export interface NetworkReport {
  readonly name: string;
  readonly pipeline: string;
  readonly regularizer: string;
  readonly seed: number;
  /** Which of an experiment's conditions: 'clean', 'noisy, decay 1e-4', …; '' or absent where it has one only. */
  readonly setting?: string;
  /** The values of its run's config. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The run's folder, as the user named it. */
  readonly run: string;
  readonly updates: number;
  readonly epochs: number;
  readonly seconds: number | null;
  /** Fraction of test samples classified as labeled. */
  readonly testAccuracy: number | null;
  /** Of one sample, as the dataset holds it: [28, 28], [784], [32, 32, 3], [2]. */
  readonly sampleShape: readonly number[];
  readonly classes: readonly string[];
  /** By what was measured: 'training loss', 'test loss', 'test accuracy' (a fraction), …; in order of epoch. */
  readonly curves: Readonly<Record<string, readonly CurvePoint[]>>;
  /** Top singular value per layer, in the order of the network. */
  readonly sigma: Readonly<Record<string, readonly CurvePoint[]>>;
  /** Epochs trained before the regularizer is switched on; null where there is none. */
  readonly burnIn: number | null;
  readonly attack: Attack | null;
  /** Readouts that were fitted to its features and tested while it was learned, in order of epoch. */
  readonly probes?: readonly Probe[];
  /** The same representation under a readout that was fitted anew. */
  readonly readout?: Readout | null;
  /** The readout that makes a classifier of a representation learned without labels: the network that was tested and attacked. */
  readonly classifier?: Classifier | null;
  /** Exact boundary distances, where the input has two dimensions. */
  readonly exact?: readonly ExactDistance[];
  readonly geometries?: readonly Geometry[];
  readonly tracks?: readonly Track[];
  readonly alignments?: readonly Alignment[];
  readonly certificates?: readonly Certificate[];
}

export interface Attack {
  /** T of the Tangent Attack; null where it was not the same for all samples, or nothing says it. */
  readonly iterations: number | null;
  /** What an input may be: one range, or one a channel; absent from logs of earlier versions. */
  readonly box?: { readonly min: number | readonly number[]; readonly max: number | readonly number[] };
  readonly samples: readonly AttackedSample[];
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
  /** Rigorous lower bound of Δx (lemma 1). */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Lower bound with the sampled maximum of the Jacobian: an estimate, which may lie above Δx. */
  readonly local?: number | null;
  /** θx: cosine between Φ(x) and the difference of the two readout rows. */
  readonly theta?: number | null;
  /** ‖Φ(x)‖. */
  readonly featureNorm?: number | null;
  /** Forward passes asked for. */
  readonly queries: number;
  /** The kind of start, of attacks that choose among several. */
  readonly start?: string | null;
  readonly original?: Float32Array;
  readonly adversarial?: Float32Array;
}

/** How a multinomial logistic regression on frozen features was fitted. */
export interface Fit {
  /** 'scikit-learn': by its default; 'converged'; null where the log does not say. */
  readonly fit: string | null;
  readonly iterations: number | null;
  /** After which it ends in any case. */
  readonly iterationLimit: number | null;
  readonly converged: boolean;
}

/** Such a regression, and how well it does; fractions. */
export interface Classifier extends Fit {
  readonly accuracy: number;
  readonly trainAccuracy: number;
}

/** The same, and what the attack made of the network with it. */
export interface Readout extends Classifier {
  readonly attack: Attack | null;
}

/** How well a readout on the features of one moment does; fractions. */
export interface Probe extends Interval, Fit {
  readonly epoch: number;
  readonly accuracy: number;
  /** The same of the untrained network; null where it was not measured. */
  readonly untrained: (Interval & { readonly accuracy: number }) | null;
}

/** 95 % of a fraction's values, given how many samples it was taken over. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** The distance from a training or test point to the nearest point of another class, by a dense scan. */
export interface ExactDistance {
  readonly index: number;
  readonly label: number;
  readonly distance: number;
}

/** A grid over the input plane, or over a plane through samples. Cell (row, column) is at `row · columns + column`. */
export interface Geometry {
  /** The update whose weights these are. */
  readonly number: number;
  readonly epoch: number;
  /** 'grid': the inputs are the plane; 'plane': a plane through three samples, in units of the input. */
  readonly kind: 'grid' | 'plane';
  /** Edges of the rectangle; a value belongs to the middle of its cell. */
  readonly xMin: number;
  readonly xMax: number;
  readonly yMin: number;
  readonly yMax: number;
  readonly columns: number;
  /** Of ascending y. */
  readonly rows: number;
  readonly points: readonly { readonly x: number; readonly y: number; readonly label: number }[];
  /** [rows · columns] predicted class; negative where there is none. */
  readonly classes: ArrayLike<number>;
  /** [rows · columns] top logit less the runner-up; its sign is not read. */
  readonly margin: ArrayLike<number>;
  /** [rows · columns] ½ log det g; NaN where g has no full rank. */
  readonly logVolume: ArrayLike<number>;
  /** [rows · columns] λmax(g). */
  readonly topEigenvalue: ArrayLike<number>;
}

/** θx, ‖Φ(x)‖ and the loss of some samples at one moment of the training. */
export interface Track {
  readonly epoch: number;
  readonly number?: number;
  readonly samples: readonly {
    readonly index: number;
    readonly label: number;
    readonly theta: number;
    readonly featureNorm: number;
    readonly loss: number;
  }[];
}

/** The rows of a readout beside the class features, at one moment of its training. */
export interface Alignment {
  readonly epoch: number;
  readonly number: number;
  readonly loss: number;
  /** [classes][features]. */
  readonly weights: readonly (readonly number[])[];
  /** [classes][features]. */
  readonly features: readonly (readonly number[])[];
  /** Per class, between weight vector and feature. */
  readonly cosines: readonly number[];
}

/** Lower bounds of the adversarial distance of one sample, by norm. */
export interface Certificate {
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  readonly theta: number;
  readonly featureNorm: number;
  /** (W_c − W_k)Φ(x) + b_c − b_k over ‖W_c − W_k‖, the smallest over k. */
  readonly marginOverReadoutNorm: number;
  /** Of the feature map, by its layers' norms. */
  readonly lipschitz: number;
  readonly lower: Bounds;
  readonly local: Bounds;
}

export interface Bounds {
  readonly l1: number;
  readonly l2: number;
  readonly linf: number;
}

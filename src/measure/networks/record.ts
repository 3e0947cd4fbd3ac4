import type { FigureRequest } from '../../plot/figure.js';
import type { Role } from '../../storage/record.js';
import type { Alignment } from '../alignment/alignment.js';
import type { AttackReport } from '../attack/attacked.js';
import type { Certificate } from '../certificate/record.js';
import type { ExactDistance, Geometry } from '../geometry/record.js';
import type { Measurement } from '../log.js';
import type { Classifier, OnlineReadout, RefittedReadout } from '../readout/record.js';
import type { Track } from '../tracking/tracking.js';

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
  /** The reference of each pipeline that has one, by its name. */
  readonly references?: Readonly<Record<string, Reference>>;
  /** Whatever else a reader should know, a sentence each. */
  readonly notes: readonly string[];
  /** What differs between runs of one pipeline; none of those that differ in their seed alone. */
  readonly differences?: readonly Differences[];
  /** The result that settings are ranked by, such as 'tests.accuracy': of a report that is to say which setting is the best. */
  readonly rankedBy?: string;
  /** How its runs were made, in the order of the runs: those that were made alike share one. */
  readonly provenance?: readonly RunProvenance[];
  /** The command that makes the first of them again, given in the folder of its module; of a fork or an attack, in that of the report. */
  readonly command?: string;
  /** The report that this one is a part of, as a figure is given it; none of a whole one. */
  readonly whole?: Report;
}

/** How runs were made, in words; '' for what their folders do not say. */
export interface RunProvenance {
  readonly runs: readonly string[];
  /** TensorFlow's version and device, Node's version. */
  readonly runtime: string;
  readonly threads: string;
  /** Of the module's repository; '-dirty' where files differed from it. */
  readonly commit: string;
  /** Each data set with its size and the beginning of its SHA-256. */
  readonly data: readonly string[];
}

/** Values of a run's config, by key. */
export type ConfigValues = Readonly<Record<string, string | number | boolean>>;

/** Numbers of others for the networks of a pipeline, which the report sets beside its own. */
export interface Reference {
  /** The networks, in the head of the table: 'Clean XOR'. */
  readonly title: string;
  /** The source of the numbers, in the caption: "the authors' protocol". */
  readonly source: string;
  /** Networks that each mean is over. */
  readonly seeds: number;
  /** Epochs of their training: a network that was trained for another number is not compared. */
  readonly epochs: number;
  /** Only networks whose run has these values in its config are compared. */
  readonly where?: ConfigValues;
  readonly rows: readonly ReferenceRow[];
}

/** The numbers for one regularizer. */
export interface ReferenceRow {
  readonly regularizer: string;
  /** Values of the config, besides those of the whole reference. */
  readonly where?: ConfigValues;
  /** Mean σ at the end of training, by layer. */
  readonly sigma?: Readonly<Record<string, number>>;
  /** Mean and sample standard deviation over seeds, by the measure's name in the report's tables: 'Mean Δx'. Accuracies are fractions. */
  readonly measures: Readonly<Record<string, readonly [mean: number, standardDeviation: number]>>;
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

/** What a network had been before its run was forked, and how that other run went on. */
export interface ForkOrigin {
  /** The name of the other run's folder. */
  readonly run: string;
  /** The update up to which both runs are the same. */
  readonly update: number;
  /** The same in epochs, in parts of one. */
  readonly epoch: number;
  /** Of the same network of the other run, over its whole training; empty where its folder is gone. */
  readonly curves: NetworkReport['curves'];
  readonly sigma: NetworkReport['sigma'];
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
  /** The folder of the run that trained it, where that is another one: a sweep trains an unregularized network once for several jobs. */
  readonly trainedBy?: string;
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
  /** σ of each regularized layer as the regularizer's power iteration had it, beside the exact `sigma`; where ticks are logged. */
  readonly ticks?: Readonly<Record<string, readonly CurvePoint[]>>;
  /** Epochs trained before the regularizer is switched on; null where there is none. */
  readonly burnIn: number | null;
  /** Where its run was forked from another one. */
  readonly origin?: ForkOrigin;
  readonly attack: AttackReport | null;
  /** Readouts that were fitted to its features and tested while it was learned, in order of epoch. */
  readonly probes?: readonly OnlineReadout[];
  /** The same representation under a readout that was fitted anew. */
  readonly readout?: RefittedReadout | null;
  /** The readout that makes a classifier of a representation learned without labels: the network that was tested and attacked. */
  readonly classifier?: Classifier | null;
  /** Exact boundary distances, where the input has two dimensions. */
  readonly exact?: readonly Pick<ExactDistance, 'index' | 'label' | 'distance'>[];
  readonly geometries?: readonly Geometry[];
  readonly tracks?: readonly Track[];
  readonly alignments?: readonly Alignment[];
  readonly certificates?: readonly Certificate[];
  /** The last value of every number that was logged, by stream and field: 'tests.accuracy', 'sigmas.sigma.hidden1'. */
  readonly results?: Readonly<Record<string, LoggedResult>>;
  /** Streams that no other field here is made of, by name: with the schema that each declares. */
  readonly measurements?: Readonly<Record<string, Measurement>>;
}

/** The newest value of a logged number; of many records of one update their mean. Of an attack's distance that over correct samples. */
export interface LoggedResult {
  readonly value: number;
  readonly better?: 'higher' | 'lower';
  /** Of the stream that it is in. */
  readonly role?: Role;
  /** Whether it stands for its whole record. */
  readonly headline?: boolean;
  readonly unit?: string;
}

/** A measured value; an epoch that is not whole lies within one. */
export interface CurvePoint {
  readonly epoch: number;
  readonly value: number;
}

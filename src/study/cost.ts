import { mean } from '../plot/statistics.js';
import { duration } from '../plot/table.js';
import type { StudyResult } from './results.js';
import type { ScaledExperiment } from './scale.js';

/** What an experiment has come to, and what the rest of it would take. */
export interface ExperimentState {
  readonly scaled: ScaledExperiment;
  /** Jobs with a result, and all jobs; 0 of 0 of one that cannot be run. */
  readonly done: number;
  readonly jobs: number;
  /** Seconds of the jobs that are left, on the machine that the cost was measured on. */
  readonly left: number;
  /** The same for the whole of the paper's protocol. */
  readonly paper: number;
  /** How that is known, in words. */
  readonly basis: string;
}

/**
 * What is left of an experiment. Results say best what a job takes: their mean. Before there is one, the seconds of a smaller run are
 * taken times the factor that the study states.
 */
export function stateOf(scaled: ScaledExperiment, results: readonly StudyResult[]): ExperimentState {
  const { experiment, settings, seeds, name } = scaled;
  const jobs = settings.length * (experiment.together ? 1 : seeds);
  const own = results.filter((one) => one.experiment === name);
  const known = own.flatMap(({ made }) => made.seconds ?? []);
  const { measured, by, factor, paper, gpu } = experiment.cost;
  const each = known.length > 0 ? mean(known) : measured * factor;
  const basis =
    known.length > 0
      ? `${duration(each)} a job, measured over ${known.length}`
      : `${duration(measured)} of ${by}, times ${factor}`;
  const done = Math.min(own.length, jobs);
  return {
    scaled,
    done,
    jobs,
    left: (jobs - done) * each,
    paper: settings.length * (experiment.together ? 1 : experiment.seeds) * measured * paper,
    basis: `${basis}; one GPU is taken to be ${gpu} times as fast`,
  };
}

/** Seconds of what is left on one GPU. */
export const onGpu = ({ left, scaled }: Pick<ExperimentState, 'left' | 'scaled'>): number =>
  left / scaled.experiment.cost.gpu;

/** Seconds in words: on 2 cores, and on one GPU. */
export const costInWords = ({ left, gpu }: { readonly left: number; readonly gpu: number }): string =>
  `${duration(left)} on 2 cores, about ${duration(gpu)} on one GPU`;

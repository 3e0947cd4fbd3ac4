import { dirname, join, resolve } from 'node:path';
import { configOf, type Pipeline } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { decisive } from '../study/results.js';
import type { ScaledExperiment, ScaledStudy } from '../study/scale.js';
import { settingsOf } from '../study/study.js';
import type { Job } from './jobs.js';

/** A job of a study: the run of one seed, or of all where one run trains them together. */
export interface StudyJob {
  readonly job: Job;
  readonly experiment: string;
  readonly setting: string;
  readonly seed: number;
  /** The values that decide what comes out, which a recorded result must have too. */
  readonly decisive: Readonly<Record<string, unknown>>;
  /** Keys that are folders of data. */
  readonly folders: readonly string[];
}

export interface StudyJobsOptions {
  /** The module of the study, beside which its pipelines are. */
  readonly module: string;
  /** The folder of the study, with a folder for each run. */
  readonly into: string;
  readonly fallback?: (pipeline: Pipeline) => Readonly<Record<string, unknown>>;
}

/**
 * The jobs of a study, seed by seed, so that a stop loses one run and early results are of all experiments' first seeds. The same
 * arguments give the same folders, so the same command goes on.
 *
 * @throws {WeirError} names a key or value that a pipeline refuses, before anything is trained
 */
export async function jobsOfStudy({ study, experiments }: ScaledStudy, options: StudyJobsOptions): Promise<StudyJob[]> {
  const { module, into, fallback = () => ({}) } = options;
  const able = experiments.filter(({ lacking }) => lacking === undefined);
  const pipelines = new Map<string, Pipeline>();
  const file = (pipeline: string): string => join(dirname(resolve(module)), `${pipeline}.ts`);
  for (const { experiment } of able)
    if (!pipelines.has(experiment.pipeline))
      pipelines.set(experiment.pipeline, await loadPipeline(file(experiment.pipeline)));

  const jobsOf = (one: ScaledExperiment, seed: number): StudyJob[] => {
    const { name, experiment, seeds } = one;
    const pipeline = pipelines.get(experiment.pipeline)!;
    const own = Object.hasOwn(pipeline.config, 'seeds') ? [`seeds=${experiment.together ? seeds : 1}`] : [];
    return one.settings.map((setting) => {
      const before =
        experiment.after === undefined
          ? undefined
          : nameOf(experiment.after, settingIn(study.experiments[experiment.after]!, setting), seed);
      const from = before === undefined ? [] : [`from=${join(into, before)}`];
      const values = [...one.set, ...(experiment.settings?.[setting] ?? []), ...from, ...own];
      const config = JSON.parse(
        JSON.stringify(configOf(pipeline, lastOfEach(values), { fallback: fallback(pipeline) })),
      ) as Job['config'];
      const folders = Object.keys(experiment.data ?? {});
      const job: Job = {
        name: nameOf(name, setting, experiment.together ? undefined : seed),
        path: nameOf(name, setting, experiment.together ? undefined : seed),
        module: file(experiment.pipeline),
        pipeline: pipeline.name,
        setting,
        seed,
        config,
        after: before === undefined ? [] : [before],
      };
      return { job, experiment: name, setting, seed, decisive: decisive(config, folders), folders };
    });
  };
  const most = Math.max(0, ...able.map(({ seeds }) => seeds));
  return Array.from({ length: most }, (_, seed) => seed).flatMap((seed) =>
    able
      .filter((one) => seed === 0 || (seed < one.seeds && !one.experiment.together))
      .flatMap((one) => jobsOf(one, seed)),
  );
}

/** The jobs that are wanted, and those that they build upon. */
export function withFirst(wanted: readonly StudyJob[], all: readonly StudyJob[]): StudyJob[] {
  const names = new Set<string>();
  const add = ({ job }: StudyJob): void => {
    if (names.has(job.name)) return;
    names.add(job.name);
    for (const one of all) if (job.after.includes(one.job.name)) add(one);
  };
  for (const one of wanted) add(one);
  return all.filter(({ job }) => names.has(job.name));
}

/** The setting of an experiment that another one builds upon: of the same name, or its only one. */
function settingIn(experiment: ScaledExperiment['experiment'], setting: string): string {
  const settings = settingsOf(experiment);
  return settings.includes(setting) ? setting : settings[0]!;
}

const nameOf = (experiment: string, setting: string, seed: number | undefined): string =>
  [experiment, setting, ...(seed === undefined ? [] : [`seed-${seed}`])]
    .map((part) =>
      part
        .toLowerCase()
        .replace(/γ/g, 'gamma')
        .replace(/[^a-z0-9.]+/g, '-')
        .replace(/^-|-$/g, ''),
    )
    .filter(Boolean)
    .join('-');

/** Of two values of one key the last. */
function lastOfEach(values: readonly string[]): string[] {
  const keyOf = (one: string): string => one.split('=', 1)[0]!;
  return values.filter((one, i) => !values.slice(i + 1).some((later) => keyOf(later) === keyOf(one)));
}

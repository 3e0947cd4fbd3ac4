import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { suggestion } from '../flow/options.js';
import { toOutput } from '../flow/terminal.js';
import { tryOut } from '../run/pipeline.js';
import { loadPipeline } from '../run/pipeline-module.js';
import { resumable } from '../run/process.js';
import { RunFolder } from '../storage/run-folder.js';
import { resultOf } from '../study/collected.js';
import { verdictLines } from '../study/json.js';
import { outcomeOf } from '../study/outcome.js';
import { writeVerdicts } from '../study/page.js';
import {
  configDifference,
  merged,
  type RecordedResult,
  readResults,
  type StudyResult,
  writeResult,
} from '../study/results.js';
import { type ScaledStudy, scaled } from '../study/scale.js';
import type { Study } from '../study/study.js';
import { folderOfJob } from '../sweep/plan.js';
import { isFinished } from '../sweep/scheduler.js';
import { jobsOfStudy, type StudyJob, withFirst } from '../sweep/study-jobs.js';
import { reasons } from '../sweep/table.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { planJobs, type ReproductionSettings, runJobs } from './reproduction.js';

interface Place {
  readonly name: string;
  readonly module: string;
  readonly into: string;
}

/** Runs what a study lacks, records each finished run as a small file, and writes the page with the verdicts; at a stop too. */
export async function reproduceStudy(
  study: Study,
  { name, module, into }: Place,
  settings: ReproductionSettings,
): Promise<void> {
  if (settings.seed !== 0)
    throw new WeirError('a study has seeds of its own, from 0 on', 'leave --seed out; --set seeds=N takes the first N');
  const whole = scaled(study, settings.set);
  checkOnly(whole, settings.only ?? []);
  const slow = settings.runs && (await loadTensorFlow()).kind === 'wasm';
  const all = await jobsOfStudy(whole, { module, into, fallback: (pipeline) => (slow ? pipeline.fallback : {}) });
  const { recorded, notes } = recordedFor(whole, all, settings.results);
  const kept = keptResults(into, all);
  if (kept.length > 0)
    toOutput(
      `results of ${kept.length} jobs in ${relative(process.cwd(), join(into, 'results'))} count as done without their runs; delete a file to run its job again\n`,
    );
  const missing = all.filter((job) => ![...recorded, ...kept].some((one) => isOf(one, job)));
  const wanted = settings.runs ? withFirst(only(whole, missing, settings.only), all) : [];
  let isStopped = false;
  if (wanted.length > 0) {
    for (const job of firstOfEach(wanted)) await tryOutJob(job); // before anything is written
    const asked = await planJobs(
      into,
      all.map(({ job }) => job),
      wanted.map(({ job }) => job),
      settings,
      slow,
    );
    const { outcome, entries } = await runJobs(asked, { ...settings, keepGoing: true });
    isStopped = outcome === 'stopped';
    if (!isStopped)
      for (const line of reasons(asked.wanted.map((job) => ({ name: job.name, entry: entries.get(job.name)! }))))
        toOutput(`${line}\n`);
    if (!isStopped && asked.wanted.some((job) => entries.get(job.name)?.state !== 'done')) process.exitCode = 1;
  }
  const own = finished(into, all);
  for (const { job, result } of own) writeResult(join(into, 'results'), job.name, result);
  const results = together(
    [...own.map(({ result }) => result), ...kept],
    recorded,
    settings.results === undefined,
    notes,
  );
  const command = ['weir reproduce', name, ...settings.set.map((one) => `--set ${one}`)].join(' ');
  const outcome = outcomeOf(whole, results, command, notes);
  for (const line of verdictLines(outcome)) toOutput(`${line}\n`);
  const page = writeVerdicts(into, outcome);
  if (isStopped) {
    toOutput('stopped; the same command goes on\n');
    process.exitCode = resumable;
  }
  toOutput(`page  ${relative(process.cwd(), page)}\n${into}\n`);
}

/** The results of the runs that are at their end. */
function finished(
  into: string,
  all: readonly StudyJob[],
): { readonly job: StudyJob['job']; readonly result: StudyResult }[] {
  return all.flatMap((one) => {
    const path = folderOfJob(into, one.job);
    return isFinished(path) ? [{ job: one.job, result: resultOf(RunFolder.open(path), one, one.folders) }] : [];
  });
}

/** The results in a study's own folder, of the same values, of jobs whose runs are not there any more. */
function keptResults(into: string, all: readonly StudyJob[]): RecordedResult[] {
  const folder = join(into, 'results');
  if (!existsSync(folder)) return [];
  const gone = all.filter(({ job }) => !existsSync(join(folderOfJob(into, job), 'config.json')));
  return readResults(folder).filter((result) =>
    gone.some((job) => isOf(result, job) && configDifference(result.config, job.decisive) === undefined),
  );
}

/** The first job of each experiment that does not need the run of another one. */
const firstOfEach = (jobs: readonly StudyJob[]): StudyJob[] =>
  jobs.filter(
    (one, i) => one.job.after.length === 0 && jobs.findIndex(({ experiment }) => experiment === one.experiment) === i,
  );

/** Wires the networks of a job, which opens its data. @throws {WeirError} names the experiment whose data cannot be opened */
async function tryOutJob({ experiment, job }: StudyJob): Promise<void> {
  try {
    await tryOut(await loadPipeline(job.module), job.config, job.seed);
  } catch (cause) {
    if (!(cause instanceof WeirError)) throw cause;
    throw new WeirError(`experiment '${experiment}' cannot be run: ${cause.message}`, cause.remedy, { cause });
  }
}

/**
 * Own results and recorded ones. Of the package's recorded ones those that disagree with own runs are left out, and that is said.
 *
 * @throws {WeirError} where results of a folder that the user named disagree, by their names
 */
function together(
  own: readonly StudyResult[],
  recorded: readonly RecordedResult[],
  isPackaged: boolean,
  notes: string[],
): StudyResult[] {
  if (!isPackaged) return merged<StudyResult>([...own, ...recorded]);
  let results = merged(own);
  let left = 0;
  for (const one of recorded) {
    try {
      results = merged<StudyResult>([...results, one]);
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      left++;
    }
  }
  if (left > 0)
    notes.push(`${left} recorded results of the package are of other data than the runs here, and are left out.`);
  return results;
}

const isOf = (
  { experiment, setting, seed }: Pick<StudyResult, 'experiment' | 'setting' | 'seed'>,
  job: StudyJob,
): boolean => experiment === job.experiment && setting === job.setting && seed === job.seed;

/** @throws {WeirError} names an experiment of `--only` that the study, or its profile, has not */
function checkOnly({ study, profile }: ScaledStudy, wanted: readonly string[]): void {
  const known = Object.keys(study.experiments);
  const odd = wanted.find((name) => !known.includes(name));
  if (odd !== undefined)
    throw new WeirError(
      `study '${study.name}' has no experiment '${odd}'`,
      suggestion(odd, known, `there are ${known.join(', ')}`),
    );
  const scales = profile === '' ? study.experiments : study.profiles[profile]!;
  const left = wanted.find((name) => !Object.hasOwn(scales, name));
  if (left !== undefined)
    throw new WeirError(
      `profile ${profile} of study '${study.name}' has no experiment '${left}'`,
      `it has ${Object.keys(scales).join(', ')}; or leave profile=${profile} out`,
    );
}

/** The jobs of some experiments. @throws {WeirError} names an experiment that there is none of, or that cannot be run as it is asked for */
function only(
  { experiments }: ScaledStudy,
  jobs: readonly StudyJob[],
  wanted: readonly string[] | undefined,
): readonly StudyJob[] {
  if (wanted === undefined) return jobs;
  const idle = experiments.find(({ name, lacking }) => wanted.includes(name) && lacking !== undefined);
  if (idle !== undefined) throw new WeirError(`experiment '${idle.name}' cannot be run: ${idle.lacking}`);
  return jobs.filter(({ experiment }) => wanted.includes(experiment));
}

/** Recorded results of the package: `fixtures/STUDY`. */
const packaged = (study: Study): string => join(import.meta.dirname, '../../fixtures', study.name);

/**
 * The recorded results that belong to this study as it is asked for. Of a folder that the user names, one that was made with other values
 * is refused; of the package's own it is left out, and that is said.
 *
 * @throws {WeirError} names the file and the key that differs
 */
function recordedFor(
  { study, experiments }: ScaledStudy,
  jobs: readonly StudyJob[],
  folder: string | undefined,
): { readonly recorded: RecordedResult[]; readonly notes: string[] } {
  const from = folder ?? packaged(study);
  if (folder === undefined && !existsSync(from)) return { recorded: [], notes: [] };
  const left = new Map<string, number>();
  const isAsked = ({ experiment, setting }: RecordedResult): boolean =>
    experiments.some((one) => one.name === experiment && !one.isLeftOut && one.settings.includes(setting));
  const recorded = readResults(from).filter((result) => {
    if (!isAsked(result)) return false;
    const job = jobs.find((one) => one.experiment === result.experiment && one.setting === result.setting);
    const difference = job === undefined ? undefined : configDifference(result.config, job.decisive);
    if (difference === undefined) return true;
    if (folder !== undefined) {
      throw new WeirError(
        `${result.file} is of ${[result.experiment, result.setting].filter(Boolean).join(', ')}, but of other values: ${difference}`,
        'take it out of the folder, or ask for its values by --set EXPERIMENT.KEY=VALUE',
      );
    }
    left.set(result.experiment, (left.get(result.experiment) ?? 0) + 1);
    return false;
  });
  const notes = [...left].map(
    ([experiment, n]) => `${n} recorded results of ${experiment} were made with other values, and are left out.`,
  );
  return { recorded, notes };
}

import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { WeirError } from '../flow/errors.js';
import type { Outcome } from '../flow/flow.js';
import { checkOptions } from '../flow/options.js';
import { checkFiles, moduleOf } from '../storage/identity-file.js';
import { followMetrics, type MetricRecord } from '../storage/metric-reader.js';
import { plannedNetworks, RunFolder } from '../storage/run-folder.js';
import { networkInTraining } from '../storage/run-state.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { changeConfig, checkSchedules, planChange } from './change-config.js';
import { checkValues, resolveConfig, type SettingsOf, unknown } from './config.js';
import { type Pipeline, tryOut } from './pipeline.js';
import { loadPipeline } from './pipeline-module.js';
import { RunIdentity, thisMachine } from './run-identity.js';
import { runSession } from './session.js';
import { type RunActions, unwatched } from './watch.js';

/** How a run is carried out; nothing of it changes what comes out. */
export interface RunSettings {
  /** Seconds from one snapshot to the next; 60 by default. */
  readonly snapshotEvery?: number;
  /** Snapshots that stay; 3 by default. */
  readonly snapshotKeep?: number;
  /** Goes on although data, module or config have changed; the changes are recorded. */
  readonly acceptChanges?: boolean;
}

const settingKeys = { snapshotEvery: 'optional', snapshotKeep: 'optional', acceptChanges: 'optional' } as const;

export interface ResumeOptions<P = Pipeline> extends RunSettings {
  /**
   * Values of keys that the pipeline declares to be `changeable`, from here on: more epochs, also of a finished run, and other measurements
   * to come. The run's history records them.
   */
  readonly set?: SettingsOf<P>;
}

export interface RunOptions<P> extends RunSettings {
  /** Values of the pipeline's config, in the place of its defaults: each of its key's type, a number as a number. */
  readonly set?: SettingsOf<P>;
  /** Of data order, augmentation, weights and attack; 0 by default. */
  readonly seed?: number;
  /** By default a new one under `runs/`. */
  readonly folder?: string;
}

/** A run under way. */
export interface Run {
  /** The folder, as every command takes it. */
  readonly folder: string;
  /**
   * How it ends: 'stopped' where it can be resumed.
   *
   * Rejects with the error that ends the run: a `WeirError` with a remedy where a user can act on it. One that nobody awaits, here or in a
   * stream, ends the process, as with any promise.
   */
  readonly finished: Promise<Outcome>;
  /** Asks it to stop at the next barrier, after a snapshot. */
  stop(): void;
  /**
   * The records of a stream as the metric log holds them, from the beginning of the run to its end: `updates` for `updates$`.
   *
   * The training waits for no reader, and none is left out: they are read from the log, in which a record stands within two seconds.
   * Bound: 64 KiB in memory. Many may read, and begin at any time. Order: that of the log.
   *
   * @throws {WeirError} from the iteration: the error that ends the run; for a name that no stream has
   */
  stream(name: string): AsyncIterable<MetricRecord>;
}

/**
 * Starts a run, as `weir run` does: the same engine, snapshots, log and report. It trains while the caller goes on.
 *
 * A pipeline is named by the path of its module, not handed over: so `weir resume` can go on with the run, in another process too. Ctrl-C
 * and SIGTERM stop it as they stop the command's. One run trains at a time in a process.
 *
 * @param module path of the module that exports the pipeline by default
 * @throws {WeirError} before anything is written: for an unknown key or an invalid value, a graph that cannot run, a folder with a run
 * @example
 * const run = await weir.run<typeof small>('small.ts', { set: { epochs: 3 }, seed: 1, folder: 'runs/small' });
 * for await (const { number, loss } of run.stream('updates')) console.log(number, loss);
 * await run.finished; // 'done'
 */
export async function run<P = Pipeline>(module: string, options: RunOptions<P> = {}): Promise<Run> {
  const {
    set = {},
    seed = 0,
    folder: path,
    ...settings
  } = checkOptions(
    'run',
    options as RunOptions<Pipeline>,
    { set: 'optional', seed: 'optional', folder: 'optional', ...settingKeys } as const,
  );
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new WeirError(`'run' was given the seed ${seed}`, 'give a whole number from 0 to 2^53 - 1');
  }
  const pipeline = await loadPipeline(module);
  const given = settingsIn(pipeline, set);
  const { rules = [], profiles } = pipeline;
  resolveConfig(pipeline.config, profiles, given, { rules, source: 'set' }); // reports errors before TensorFlow is loaded
  const fallback = (await loadTensorFlow()).kind === 'wasm' ? pipeline.fallback : {};
  const config = resolveConfig(pipeline.config, profiles, given, { rules, source: 'set', fallback });
  await tryOut(pipeline, config, seed);
  const networks = plannedNetworks(pipeline.networks(config, seed), config);
  const start = { module, pipeline: pipeline.name, seed, config, networks, figures: pipeline.figures };
  return goOn(RunFolder.create(path, start), pipeline, { ...settings, module });
}

/** The values of a config, each of its key's type, as settings of a command. @throws {WeirError} names key and value */
function settingsIn(pipeline: Pipeline, set: SettingsOf<Pipeline>): string[] {
  checkValues(pipeline.config, set, 'set');
  return Object.entries(set).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
  );
}

/**
 * Goes on with a run that was stopped or killed, as `weir resume` does; with `set` under another config, as `weir resume --set` does.
 *
 * @param path folder of the run
 * @throws {WeirError} where there is none, or its config, code or data have changed; for a key that may not change, or not to this value: the
 * run then stays as it is
 * @example const run = await weir.resume('runs/small', { set: { epochs: 10 } });
 */
export async function resume<P = Pipeline>(path: string, options: ResumeOptions<P> = {}): Promise<Run> {
  const { set = {}, ...settings } = checkOptions(
    'resume',
    options as ResumeOptions,
    { set: 'optional', ...settingKeys } as const,
  );
  const folder = RunFolder.open(path);
  const module = moduleOf(folder);
  await checkFiles(folder, module, settings);
  const pipeline = await loadPipeline(module);
  const change = planChange(folder, pipeline, settingsIn(pipeline, set), 'set'); // reports errors before TensorFlow is loaded
  await loadTensorFlow();
  if (change === undefined) return goOn(folder, pipeline, { ...settings, module });
  await checkSchedules(pipeline, change);
  return goOn(changeConfig(change), pipeline, { ...settings, module });
}

async function goOn(
  folder: RunFolder,
  pipeline: Pipeline,
  settings: RunSettings & { readonly module: string },
): Promise<Run> {
  const identity = await RunIdentity.of(folder, await thisMachine(), settings);
  await identity.check(pipeline, networkInTraining(folder));
  const { snapshotEvery = 60, snapshotKeep = 3 } = settings;
  let begun = false; // the log is cut back to the newest snapshot before the first network begins
  let over = false;
  let actions: RunActions | undefined;
  const network = (): void => {
    begun = true;
  };
  const finished = runSession({
    folder,
    pipeline,
    options: { snapshotEvery, snapshotKeep, onSnapshotError: 'stop', identity, watch: unwatched },
    control: (_, asked) => {
      actions = asked;
      return {
        ...unwatched,
        network,
        warn: () => undefined,
        opened: async () => undefined,
        close: async () => undefined,
      };
    },
  }).finally(() => {
    over = true;
  });

  async function* stream(name: string): AsyncGenerator<MetricRecord> {
    const ended = finished.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const news = async (): Promise<boolean> => {
      if (over) return false;
      await Promise.race([ended, setTimeout(interval)]);
      return true;
    };
    while (!begun && (await news()));
    const names = new Set<string>();
    if (existsSync(folder.log)) {
      for await (const record of followMetrics(folder.log, news)) {
        names.add(String(record.stream));
        if (record.stream === name) yield record;
      }
    }
    const failure = await ended;
    if (failure !== undefined) throw failure.error;
    if (!names.has(name) && !Object.hasOwn(folder.streams, name)) throw unknown('stream', name, [...names]);
  }

  return { folder: folder.path, finished, stop: () => actions?.stop(), stream };
}

const interval = 100; // milliseconds from one look into the log to the next

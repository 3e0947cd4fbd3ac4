import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { nearest } from '../flow/options.js';
import { date, files } from '../surroundings/surroundings.js';
import { onDisk, writeAtomically } from './disk.js';
import { version } from './file-format.js';
import { type LogMark, MetricLog } from './metric-log.js';
import type { ModuleFiles } from './module-files.js';
import type { RecordDescriptions } from './record.js';
import { SnapshotStore } from './snapshot-store.js';

/** Raised with every change to what a run's folder or the state in its snapshots is called. */
const format = 4;
const anotherFolder = 'choose another folder with --run';

/** The start of a run, as `config.json` keeps it. Afterwards only `changed` writes it, and its history says what was changed. */
export interface RunConfig {
  readonly format: number;
  readonly weir: string;
  /** The pipeline module, as an absolute path. */
  readonly module: string;
  /** SHA-256 of the module and what it imports, where the run was planned before it began, as a job of a sweep. */
  readonly files?: ModuleFiles;
  readonly pipeline: string;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  /** The setting of an experiment that this run is; '' or none where it is a run by itself. */
  readonly setting?: string;
  /** The networks that it trains, in order: enough of each to tell how far the run is. Runs of earlier versions have none. */
  readonly networks?: readonly PlannedNetwork[];
  /** The figures that its pipeline asks for, as the report takes them. */
  readonly figures?: readonly object[];
  /** The numbers of others that its pipeline gives, as the report takes them. */
  readonly reference?: object;
  /** The ranks that it was started with, where there were several. */
  readonly ranks?: { readonly count: number; readonly batchNorm: 'local' | 'synchronized' };
  /** The run whose networks this one takes over, trained, and the streams it makes anew. */
  readonly from?: {
    readonly run: string;
    readonly again: readonly string[];
    readonly logged: LogMark;
    /** SHA-256 of what was taken over of each network. */
    readonly weights: Readonly<Record<string, string>>;
    /** In what the other run is not what it was, as far as that was accepted. */
    readonly accepted: readonly string[];
    /** Which of its weights were taken over, where not the last ones: by the name or update of a snapshot, as averages. */
    readonly taken?: { readonly snapshot?: string; readonly averaged?: boolean };
  };
  /** The run and the update that this one was forked from, where it was. */
  readonly origin?: RunOrigin;
  /**
   * Of a run that trains some of its pipeline's networks for other runs: these networks by name, with the epochs at whose end those of the
   * other runs branch off.
   */
  readonly part?: Readonly<Record<string, readonly number[]>>;
  /** Of such a run: the keys of the config that make no difference to these networks, whatever value stands there. */
  readonly across?: readonly string[];
  /** The networks that another run trained for this one, and that run. They lie here like its own, and stand first in its log. */
  readonly taken?: { readonly run: string; readonly networks: readonly string[] };
  /** The changes of its config since it was started, the oldest first. */
  readonly history?: readonly ConfigChange[];
}

/** A change of a run's config, from some update of each network on. */
export interface ConfigChange {
  /** ISO 8601. */
  readonly at: string;
  readonly set: Readonly<Record<string, { readonly was: unknown; readonly is: unknown }>>;
  /** The updates of each network that had begun. */
  readonly updates: Readonly<Record<string, number>>;
  /** The metric log up to the change. */
  readonly logged: LogMark;
}

/** Up to an update a forked run is another run: its networks have that run's states, and its log that run's lines. */
export interface RunOrigin {
  /** The folder of the other run, as an absolute path. */
  readonly run: string;
  /** ISO 8601: when that run was created, which tells it from all others. */
  readonly createdAt: string;
  /** The update, of every network. */
  readonly at: number;
  /** The last updates of networks whose training was over by then: these are in the fork as they are. */
  readonly ended?: Readonly<Record<string, number>>;
  /** How the machine of the fork differs from that of the other run: what is made again up to the update need not have the same bits. */
  readonly moved?: readonly string[];
  /** The config up to that update. */
  readonly config: Readonly<Record<string, unknown>>;
  /** In what the other run was not what it had been, as far as that was accepted. */
  readonly accepted: readonly string[];
}

/** A network of a run, as the pipeline listed it: its name, and what tells how far the run is. */
export interface PlannedNetwork {
  readonly name: string;
  /** Of its training; none where it is trained already. */
  readonly epochs?: number;
  /** The network whose state at the end of an epoch it begins with. */
  readonly branch?: { readonly of: string; readonly epoch: number };
  readonly members?: readonly string[];
}

/** Why a run ended before its time. */
export interface RunFailure {
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The networks of a run, as its config keeps them; one without epochs of its own has those of the config, by the key `epochs`. */
export const plannedNetworks = (
  networks: readonly (Omit<PlannedNetwork, 'members'> & { readonly members?: readonly { readonly name: string }[] })[],
  config: RunConfig['config'],
): PlannedNetwork[] =>
  networks.map(({ name, epochs = config.epochs, branch, members }) => ({
    name,
    ...(typeof epochs === 'number' && { epochs }),
    ...(branch && { branch }),
    ...(members && { members: members.map((member) => member.name) }),
  }));

/**
 * A run's folder: the resolved config, the metric log, snapshots, recordings, the report. Nothing else holds state.
 */
export class RunFolder {
  private constructor(
    readonly path: string,
    readonly started: RunConfig,
  ) {}

  /**
   * Makes a run's folder, by default a new one under `runs/`.
   *
   * @param fill puts into the folder what the run takes over, and says what that is; the config is written last
   * @throws {WeirError} when a run is there already.
   * @internal
   */
  static create(
    path: string | undefined,
    start: Pick<
      RunConfig,
      | 'module'
      | 'files'
      | 'pipeline'
      | 'seed'
      | 'config'
      | 'setting'
      | 'networks'
      | 'figures'
      | 'reference'
      | 'ranks'
      | 'origin'
      | 'part'
      | 'taken'
    >,
    fill?: (folder: string) => NonNullable<RunConfig['from']>,
  ): RunFolder {
    const createdAt = new Date(date()).toISOString();
    const folder = path ?? fresh(start.pipeline, createdAt);
    if (files.exists(configFile(folder))) {
      throw new WeirError(
        `there is a run in ${folder} already`,
        `go on with \`weir resume ${folder}\`, or choose another folder`,
      );
    }
    if (hasResults(folder)) {
      throw new WeirError(
        `there are snapshots of a run in ${folder}, whose config.json is gone`,
        'put that back from a copy, or choose another folder',
      );
    }
    let run: RunConfig = { format, weir: version, ...start, module: resolve(start.module), createdAt };
    onDisk(
      `write ${folder}`,
      () => {
        files.makeFolder(folder);
        if (fill !== undefined) run = { ...run, from: fill(folder) };
      },
      anotherFolder,
    );
    writeAtomically(configFile(folder), `${JSON.stringify(run, undefined, 2)}\n`, { remedy: anotherFolder });
    return new RunFolder(folder, run);
  }

  /** @throws {WeirError} when there is no run, or one that this version cannot read. */
  static open(path: string): RunFolder {
    if (!files.exists(configFile(path))) {
      if (hasResults(path)) {
        throw new WeirError(
          `there are snapshots of a run in ${path}, whose config.json is gone`,
          'put that back from a copy: what the run holds cannot be understood without it',
        );
      }
      throw noRun(path);
    }
    const run = readConfig(configFile(path));
    const formats = `the run in ${path} is of format ${run.format}, and this version of Weir (${version}) reads format ${format}`;
    if (run.format < format) throw new OlderFormat(formats, run);
    if (run.format > format) throw new WeirError(formats, 'read it with a newer version of Weir');
    return new RunFolder(path, run);
  }

  /** Writes a change of config: the folder's lock must be held. @returns the folder with it @internal */
  changed(change: Pick<RunConfig, 'config' | 'networks' | 'history'>): RunFolder {
    const text = `${JSON.stringify({ ...this.started, ...change }, undefined, 2)}\n`;
    writeAtomically(configFile(this.path), text);
    return RunFolder.open(this.path);
  }

  /** @internal */
  get metrics(): MetricLog {
    return new MetricLog(this.log);
  }

  /** The file of the metric log. To read it use `recordsOf`, which checks it. */
  get log(): string {
    return join(this.path, 'metrics.ndjson');
  }

  /** The snapshots of one network; `keep` says how many stay when one is written. @internal */
  snapshots(network: string, { keep }: { readonly keep?: number | undefined } = {}): SnapshotStore {
    return new SnapshotStore(join(this.path, 'snapshots', network), keep === undefined ? {} : { keep });
  }

  /** Whether anything was trained and saved. */
  get hasSnapshots(): boolean {
    return files.exists(join(this.path, 'snapshots'));
  }

  /** Why the run ended before its time; undefined where it did not, or goes on again. */
  get failure(): RunFailure | undefined {
    try {
      return JSON.parse(textOf(this.failureFile)) as RunFailure;
    } catch {
      return undefined; // none, or not whole: it only tells
    }
  }

  /** Notes why the run ends, for `weir status`; `undefined` takes the note away. A full disk stops no one here. @internal */
  set failure(failure: RunFailure | undefined) {
    try {
      if (failure !== undefined) writeAtomically(this.failureFile, `${JSON.stringify(failure)}\n`);
      else if (files.exists(this.failureFile)) files.remove(this.failureFile);
    } catch {
      // The command that started the run prints the error itself.
    }
  }

  private get failureFile(): string {
    return join(this.path, 'failure.json');
  }

  /** The schemas of the streams that the run logs, as far as their stages declare them. */
  get streams(): RecordDescriptions {
    if (!files.exists(this.streamsFile)) return {};
    const text = onDisk(`read ${this.streamsFile}`, () => textOf(this.streamsFile));
    try {
      return JSON.parse(text) as RecordDescriptions;
    } catch (cause) {
      throw new WeirError(
        `${this.streamsFile} is damaged: ${(cause as Error).message}`,
        'put it back from a copy, or delete it and go on with the run: it is written when a network is wired',
        { cause },
      );
    }
  }

  /** Adds the schemas of a network's streams to those that are there. @internal */
  declare(streams: RecordDescriptions): void {
    const file = this.streamsFile;
    const before = files.exists(file) ? onDisk(`read ${file}`, () => textOf(file)) : '';
    const now = `${JSON.stringify({ ...this.streams, ...streams }, undefined, 2)}\n`;
    if (now !== before) writeAtomically(this.streamsFile, now);
  }

  private get streamsFile(): string {
    return join(this.path, 'streams.json');
  }

  get report(): string {
    return join(this.path, 'report');
  }

  recording(name: string): string {
    return join(this.path, 'recordings', `${name}.weirrec`);
  }

  /** The path as a user in the working folder would type it. */
  get shown(): string {
    return shownPath(this.path);
  }
}

/** An absolute path as a user in the working folder would type it. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') || short === '' ? path : short;
}

/** The config of a run as it is held against that of others: 'any' for keys that make no difference to what it trains. */
export const comparedConfig = ({ config, across = [] }: Pick<RunConfig, 'config' | 'across'>): RunConfig['config'] => ({
  ...config,
  ...Object.fromEntries(across.map((key) => [key, ANY])),
});

/** The value of a key that makes no difference. */
export const ANY = 'any';

/** A run of an earlier version of Weir: nothing is wrong with it, and this one cannot read it. */
export class OlderFormat extends WeirError {
  override name = 'OlderFormat';

  constructor(
    message: string,
    /** What it was started with, as that version wrote it. */
    readonly started: Partial<RunConfig>,
  ) {
    super(message, 'runs of older formats are not taken up: start it again with `weir run`');
  }
}

/** The run that another was forked from, to show it; undefined where it is gone, cannot be read, or another run lies there. */
export function originRun({ run, createdAt }: RunOrigin): RunFolder | undefined {
  try {
    const folder = RunFolder.open(run);
    return folder.started.createdAt === createdAt ? folder : undefined;
  } catch {
    return undefined; // a fork holds all that was before it
  }
}

const textOf = (file: string): string => new TextDecoder().decode(files.read(file));

const configFile = (folder: string): string => join(folder, 'config.json');

function readConfig(file: string): RunConfig {
  let text: string;
  try {
    text = textOf(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new WeirError(`${file} cannot be read: ${code}`, 'ask again when it can: nothing was changed', { cause });
  }
  try {
    const run = JSON.parse(text) as RunConfig;
    if (typeof run?.format === 'number') return run;
    throw new Error('it does not say of which format it is');
  } catch (cause) {
    throw new WeirError(
      `${file} is damaged: ${(cause as Error).message}`,
      'put it back from a copy: what the run holds cannot be understood without it',
      { cause },
    );
  }
}

/** The error for a path that is no run's folder: a file, a folder of runs, one that nobody wrote to, or none. */
function noRun(path: string): WeirError {
  let runs: string[];
  try {
    if (!statSync(path).isDirectory()) {
      const folder = dirname(path);
      const remedy = files.exists(configFile(folder))
        ? `give the folder that it is in: ${folder}`
        : 'give the folder of a run: the last line that `weir run` prints';
      return new WeirError(`${path} is a file, and no run's folder`, remedy);
    }
    runs = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => basename(name) === 'config.json');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      return new WeirError(`${path} cannot be read: ${code}`, 'see who may read it: `ls -ld` shows that', { cause });
    }
    const near = nearest(basename(path), namesIn(dirname(path)));
    const missing = 'there is no such folder: `weir status` lists the runs under runs/';
    const remedy = near === undefined ? missing : `did you mean ${join(dirname(path), near)}?`;
    return new WeirError(`there is no run in ${path}`, remedy);
  }
  if (runs.length === 0) {
    return new WeirError(`there is no run in ${path}`, 'nothing was written there yet: start it again with `weir run`');
  }
  const one = join(path, dirname(runs.sort()[0]!));
  return new WeirError(
    `there is no run in ${path} itself, but ${runs.length} below it`,
    `give one of them, such as ${one}; \`weir status ${path}\` lists all, and \`weir sweep ${path}\` goes on with a sweep`,
  );
}

/** Folders in a folder; none where it cannot be read. */
function namesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Whether there is what a run has made: another run in the same place would take it for its own. */
const hasResults = (folder: string): boolean =>
  onDisk(`read the folder ${folder}`, () => files.list(join(folder, 'snapshots'), true)).some((name) =>
    name.includes('.snapshot'),
  );

function fresh(pipeline: string, createdAt: string): string {
  const name = `${pipeline}-${createdAt.slice(0, 19).replace(/:/g, '').replace('T', '-')}`;
  for (let i = 1; ; i++) {
    const folder = join('runs', i === 1 ? name : `${name}-${i}`);
    if (!files.exists(folder)) return folder;
  }
}

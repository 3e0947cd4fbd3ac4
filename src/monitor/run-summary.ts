import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { lastRecords, type RunStatus, statusOf, unreadableRun } from '../run/status.js';
import { forkInWords, setInWords } from '../storage/identity-file.js';
import type { MetricRecord } from '../storage/metric-reader.js';
import { descriptionOf, testLabel } from '../storage/record.js';
import { comparedConfig, OlderFormat, originRun, type RunConfig, RunFolder } from '../storage/run-folder.js';

/** A snapshot file, as the timeline shows it. */
export interface SnapshotFile {
  readonly network: string;
  readonly label: string;
  /** How many of the network were written before it and with it. */
  readonly sequence: number;
  readonly pinned: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly bytes: number;
}

const most = { snapshots: 300, runs: 60 };

/** What does not change while a run goes: what it was started with. */
export function aboutRun(path: string) {
  const { started, shown } = RunFolder.open(path);
  const { pipeline, seed, config, createdAt, weir, setting, history = [] } = started;
  const networks = (started.networks ?? []).map(({ name, members, branch }) => ({ name, members, branch }));
  const changes = history.map((change) => {
    const { at, set, updates } = change;
    return { at, updates, keys: Object.keys(set).join(', '), what: setInWords(change) };
  });
  const forks = forksOf(started);
  return {
    name: basename(resolve(path)),
    shown,
    pipeline,
    seed,
    config,
    createdAt,
    weir,
    setting,
    networks,
    forks,
    changes,
  };
}

/** A fork that a run descends from. */
interface ForkedFrom {
  /** The name of the other run's folder. */
  readonly run: string;
  /** The update up to which both are the same. */
  readonly at: number;
  /** What the fork has from there on. */
  readonly what: string;
}

const DEEPEST = 20; // forks, one of another

/** The forks that a run descends from, the last first, as far as the folders of the other runs are still there. */
function forksOf(started: RunConfig): ForkedFrom[] {
  const forks: ForkedFrom[] = [];
  let run: RunConfig | undefined = started;
  while (run?.origin !== undefined && forks.length < DEEPEST) {
    const { origin }: RunConfig = run;
    forks.push({ run: basename(origin.run), at: origin.at, what: forkInWords(run, origin) });
    run = originRun(origin)?.started; // moved, or of another version: the forks before it are not known
  }
  return forks;
}

/** Where the run stands, as `weir status` has it; undefined where its folder is of an earlier version and cannot tell. */
export async function runStatus(path: string) {
  const { networks } = RunFolder.open(path).started;
  return networks === undefined ? undefined : { ...(await statusOf(path)), report: existsSync(reportFile(path)) };
}

/** The last that were written, of all networks, by time. */
export const snapshotsOf = (path: string): SnapshotFile[] => allSnapshots(path).slice(-most.snapshots);

function allSnapshots(path: string): SnapshotFile[] {
  const folder = join(path, 'snapshots');
  if (!existsSync(folder)) return [];
  const run = RunFolder.open(path);
  const all = readdirSync(folder).flatMap((network) =>
    run
      .snapshots(network)
      .list()
      .flatMap(({ path, label, sequence, pinned }): SnapshotFile[] => {
        const file = statSync(path, { throwIfNoEntry: false }); // one may be removed meanwhile
        return file === undefined
          ? []
          : [{ network, label, sequence, pinned, at: Math.round(file.mtimeMs), bytes: file.size }];
      }),
  );
  return all.sort((a, b) => a.at - b.at || a.sequence - b.sequence);
}

/** Of each network how many were written, and when the last one was, in seconds since 1970. */
export const writtenOf = (path: string) =>
  [...new Map(allSnapshots(path).map((one) => [one.network, one])).values()].map(({ network, sequence, at }) => {
    return { network, written: sequence, at: at / 1000 };
  });

/** The headline numbers of a run's last tests by name, such as accuracy: of the network that was tested last. */
type Results = Readonly<Record<string, number>>;

const known = new Map<string, { readonly bytes: number; readonly results: Results }>();

/** The results of a run, from the end of its log; read again only where that has grown. */
function resultsOf(folder: RunFolder): Results {
  const bytes = statSync(folder.log, { throwIfNoEntry: false })?.size ?? 0;
  const before = known.get(folder.log);
  if (before?.bytes === bytes) return before.results;
  const { streams } = folder;
  const tests = Object.keys(streams).filter((stream) => {
    const { role, total } = streams[stream]!;
    return role === 'test' && total === undefined;
  });
  const records = tests.length === 0 ? [] : lastRecords(folder.log, (all) => all.some(isOf(tests)));
  const results = Object.fromEntries(
    tests.flatMap((stream) => {
      const record = records.findLast(isOf([stream])) ?? {};
      return Object.entries(descriptionOf(streams, { stream }).fields).flatMap(([field, { headline, label }]) => {
        const value = record[field];
        return headline === true && typeof value === 'number' ? [[testLabel(stream, label), value] as const] : [];
      });
    }),
  );
  known.set(folder.log, { bytes, results });
  return results;
}

const isOf =
  (streams: readonly string[]) =>
  ({ stream }: MetricRecord): boolean =>
    streams.includes(String(stream));

/** The part of a run's status that the list of runs shows. */
const progressIn = <S extends string>(status: Pick<RunStatus, 'epoch' | 'epochs' | 'update'> & { state: S }) => {
  const { state, epoch, epochs, update } = status;
  return { state, epoch, epochs, update };
};

/** The runs in the folder that holds this one, itself included: where each stands. */
export async function runsBeside(path: string) {
  const names = [...besides(path).keys()].slice(-most.runs);
  const own = basename(resolve(path));
  const start = startOf(path);
  return Promise.all(
    names.map(async (name) => {
      const beside = { name, own: name === own };
      try {
        const folder = RunFolder.open(join(dirname(resolve(path)), name));
        const { pipeline, seed, createdAt, origin } = folder.started;
        const comparable = start?.pipeline === pipeline;
        const differs =
          start && comparable ? configDifferences(comparedConfig(start), comparedConfig(folder.started)) : null;
        const unknown = { state: 'unknown', epoch: null, epochs: null, update: null };
        const progress = progressIn((await runStatus(folder.path)) ?? unknown);
        return {
          ...beside,
          pipeline,
          seed,
          createdAt,
          ...progress,
          differs,
          fork: origin ? { run: basename(origin.run), at: origin.at } : null,
          results: resultsOf(folder),
        };
      } catch (error) {
        const { pipeline, ...status } = unreadableRun(name, error as Error); // it hides no other, and is not hidden
        const { seed = null, createdAt = '' } = error instanceof OlderFormat ? error.started : {};
        return { ...beside, pipeline, seed, createdAt, ...progressIn(status), differs: null, fork: null, results: {} };
      }
    }),
  );
}

/** The start of a run of this format; null where it cannot be read. */
function startOf(path: string): RunConfig | null {
  try {
    return RunFolder.open(path).started;
  } catch {
    return null;
  }
}

/** The values of another run's config that are not those of this one's: 'rate=0.05, hidden=64'; '' where all are. */
function configDifferences(own: RunConfig['config'], other: RunConfig['config']): string {
  const keys = [...new Set([...Object.keys(own), ...Object.keys(other)])];
  const differing = keys.filter((key) => !isDeepStrictEqual(own[key], other[key]));
  const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none'));
  return differing.map((key) => `${key}=${text(other[key])}`).join(', ');
}

/** The folder of a run beside this one: looked up among those that are there, never made of the name. */
export const runBeside = (path: string, name: string): string | undefined => besides(path).get(name);

export function reportOf(path: string): Buffer | undefined {
  return existsSync(reportFile(path)) ? readFileSync(reportFile(path)) : undefined;
}

const reportFile = (path: string): string => join(path, 'report', 'report.html');

function besides(path: string): Map<string, string> {
  const parent = dirname(resolve(path));
  const names = readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(parent, entry.name, 'config.json')))
    .map(({ name }) => name)
    .sort();
  return new Map(names.map((name) => [name, join(parent, name)]));
}

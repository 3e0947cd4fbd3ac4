import { WeirError } from '../flow/errors.js';
import { foreignSnapshots } from '../storage/identity-file.js';
import { differenceFrom, type LogMark } from '../storage/metric-log.js';
import { type MetricRecord, readMetrics } from '../storage/metric-reader.js';
import { RunFolder } from '../storage/run-folder.js';
import { done, isLogMark } from '../storage/run-state.js';
import { isUnread, SnapshotError } from '../storage/snapshot-format.js';
import { files } from '../surroundings/surroundings.js';

/**
 * How a run's metric log differs from the length and digest in its newest snapshots, as the end of a sentence; undefined where it agrees.
 *
 * Reads the head of one snapshot a network, and the log. The answer is kept until one of these files changes.
 *
 * @throws {SnapshotError} where one of these snapshots is altered or cannot be read
 */
export function logDamage(
  folder: RunFolder,
  { altered = false }: { /** ignore altered snapshots */ readonly altered?: boolean } = {},
): string | undefined {
  const { networks, from } = folder.started;
  let furthest: LogMark = from?.logged ?? { bytes: 0 };
  let finished = (networks ?? []).length > 0;
  let key = '';
  for (const { name } of networks ?? []) {
    const newest = folder.snapshots(name).list()[0];
    finished &&= newest?.label === done;
    key += `${newest?.path}\n`;
  }
  const file = files.stat(folder.log);
  key += `${file?.size} ${file?.mtimeMs} ${file?.ino}`;
  const known = checked.get(folder.log);
  if (known?.key === key) return known.damage;
  for (const { name } of networks ?? []) {
    try {
      const logged = (folder.snapshots(name).newestHead()?.data as { readonly logged?: unknown } | undefined)?.logged;
      if (!isLogMark(logged)) finished = false;
      else if (logged.bytes > furthest.bytes) furthest = logged;
    } catch (error) {
      if (!altered || !(error instanceof SnapshotError) || isUnread(error)) throw error;
      finished = false; // its digest of the log is lost with it
    }
  }
  const damage = differenceFrom(furthest, folder.log, finished);
  if (!altered) checked.set(folder.log, { key, damage });
  return damage;
}

const checked = new Map<string, { readonly key: string; readonly damage: string | undefined }>();

/** @throws {WeirError} where the metric log differs from the digests in the run's snapshots */
export function checkLog(folder: RunFolder, options: Parameters<typeof logDamage>[1] = {}): void {
  const damage = logDamage(folder, options);
  if (damage === undefined) return;
  throw new WeirError(
    `the metric log of ${folder.shown} ${damage}`,
    `restore ${folder.log} from a copy; without a copy its results are lost, and the run must be started again in a new folder`,
  );
}

/** The records of a run's metric log. @throws {WeirError} where the log differs from the digests in the run's snapshots */
export function recordsOf(folder: RunFolder): Generator<MetricRecord> {
  checkLog(folder);
  return readMetrics(folder.log);
}

/** The runs of these folders that are intact; for each damaged one, a sentence that says why it is left out. */
export function intactRuns(paths: readonly string[]): {
  readonly runs: readonly RunFolder[];
  readonly leftOut: readonly string[];
} {
  const runs: RunFolder[] = [];
  const leftOut: string[] = [];
  for (const path of paths) {
    try {
      const run = RunFolder.open(path);
      checkLog(run);
      const [foreign] = foreignSnapshots(run);
      if (foreign !== undefined) throw new WeirError(foreign);
      if (files.exists(run.log)) runs.push(run); // a run without a log has only just begun
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      leftOut.push(`${path} is left out, for it is damaged: ${error.message}`);
    }
  }
  return { runs, leftOut };
}

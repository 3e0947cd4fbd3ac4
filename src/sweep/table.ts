import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { WeirError } from '../flow/errors.js';
import { LiveDisplay, textTable } from '../flow/terminal.js';
import { count, duration, NONE } from '../plot/table.js';
import { type Screen, usesColor } from '../run/progress.js';
import { type RunStatus, statusOf, unreadableRun } from '../run/status.js';
import type { Job } from './jobs.js';
import { isStopped, type JobEntry, type JobLease, type JobState, silence } from './ledger.js';
import { folderOfJob, ledgerOf, type SweepPlan } from './plan.js';

/** The state of a job by the ledger; 'stopped' where it is running by the ledger, but the processes that ran it are gone. */
export type KnownState = JobState | 'stopped';

/** A job of a sweep: its entry in the ledger, and the status of its run once that has begun. */
export interface JobRow {
  readonly name: string;
  readonly state: KnownState;
  readonly entry: JobEntry;
  readonly run?: RunStatus;
  /** The networks that another job trains for it. */
  readonly takes?: NonNullable<Job['takes']>;
}

const order: readonly KnownState[] = ['running', 'stopped', 'failed', 'cancelled', 'waiting', 'done'];
const heads = ['state', 'job', 'network', 'phase', 'epoch', 'update', 'left', 'attempts', 'where'];

/** The number of jobs in each state, in one line. */
export function summary(title: string, jobs: Iterable<{ readonly state: KnownState }>): string {
  const states = [...jobs].map(({ state }) => state);
  const many = (state: KnownState): number => states.filter((one) => one === state).length;
  const rest = order.filter((state) => state !== 'done' && many(state) > 0).map((state) => `${many(state)} ${state}`);
  return [`${title}: ${many('done')} of ${states.length} done`, ...rest].join(' · ');
}

/**
 * Jobs as aligned lines, running ones first.
 *
 * @param most how many lines; the last one counts the jobs that do not fit
 */
export function sweepTable(
  rows: readonly JobRow[],
  {
    width = Number.POSITIVE_INFINITY,
    most = Number.POSITIVE_INFINITY,
    color = pc.isColorSupported,
    now = Date.now(),
  } = {},
): string[] {
  const c = pc.createColors(color);
  const paint: Readonly<Record<KnownState, (text: string) => string>> = {
    waiting: c.dim,
    running: c.green,
    stopped: c.yellow,
    done: c.dim,
    failed: c.red,
    cancelled: c.yellow,
  };
  const sorted = order.flatMap((state) => rows.filter((row) => row.state === state));
  const shown = sorted.slice(0, sorted.length > most ? Math.max(0, most - 1) : most);
  const [head, ...lines] = textTable([heads, ...shown.map((row) => cellsOf(row, now))], { width });
  const hidden = sorted.length - shown.length;
  return [
    c.dim(head!),
    ...shown.map(({ state }, i) => paint[state](lines[i]!.slice(0, state.length)) + lines[i]!.slice(state.length)),
    ...(hidden > 0 ? [c.dim(`… and ${hidden} more`)] : []),
  ];
}

/** Which job trains networks for which others, a line each. */
export const trainedFor = (jobs: readonly Job[]): string[] =>
  jobs.flatMap(({ name, trains }) => {
    const others = jobs.filter(({ takes }) => takes?.job === name).map((job) => job.name);
    const shown = others.length > NAMED ? [...others.slice(0, NAMED), `${others.length - NAMED} more`] : others;
    return trains ? [`${name} trains ${Object.keys(trains.networks).join(', ')} for ${shown.join(', ')}`] : [];
  });

const NAMED = 4; // jobs of one line

/** Which jobs did not start, for others before them are not done; a line for each of these. */
export const heldBack = (jobs: readonly Job[], entries: ReadonlyMap<string, JobEntry>): string[] =>
  jobs.flatMap(({ name }) => {
    const { state } = entries.get(name)!;
    const waiting = jobs.filter((job) => job.after.includes(name) && entries.get(job.name)!.state === 'waiting').length;
    if (waiting === 0 || (state !== 'failed' && state !== 'cancelled')) return [];
    return [`${waiting} ${waiting === 1 ? 'job waits' : 'jobs wait'} for ${name}, which is ${state}`];
  });

/** How the jobs go on whose processes are gone, in a line; none where there are no such jobs. */
export function stoppedNote(folder: string, rows: readonly JobRow[]): string[] {
  const many = rows.filter(({ state }) => state === 'stopped').length;
  if (many === 0) return [];
  const jobs = many === 1 ? 'the process of 1 job' : `the processes of ${many} jobs`;
  return [`${jobs} and of the sweep that ran ${many === 1 ? 'it' : 'them'} are gone; go on with: weir sweep ${folder}`];
}

/** The reason of each failed, cancelled or damaged job, a line each. */
export const reasons = (rows: readonly Omit<JobRow, 'state'>[]): string[] =>
  rows.flatMap(({ name, entry, run }) => {
    if (entry.state === 'failed' || entry.state === 'cancelled')
      return [`${pc.red(entry.state)} ${name}: ${(entry.reason ?? 'without a reason').split('\n', 1)[0]}`];
    return run?.state === 'damaged' ? [`${pc.red('damaged')} ${name}: ${run.damage?.split('\n', 1)[0]}`] : [];
  });

function cellsOf({ name, state, entry, run }: JobRow, now: number): string[] {
  const of = (value: number | null | undefined, whole: number | null | undefined): string =>
    typeof value !== 'number' ? NONE : `${count(value)}${typeof whole === 'number' ? `/${count(whole)}` : ''}`;
  const running = state === 'running';
  const network = run?.network ?? null;
  return [
    state,
    name,
    network === null ? NONE : `${network.name}${network.of > 1 ? ` (${network.index} of ${network.of})` : ''}`,
    !running
      ? NONE
      : run?.measured
        ? `${run.measured.name} ${of(run.measured.done, run.measured.of)}`
        : (run?.phase ?? NONE),
    of(run?.epoch, run?.epochs),
    of(run?.update, run?.updates),
    !running || run?.secondsLeft == null ? NONE : duration(run.secondsLeft),
    String(entry.attempts),
    running ? whereIs(entry.lease, now) : NONE,
  ];
}

/** Where a job runs; with the age of the sweep's last heartbeat where nothing newer is known. */
function whereIs(lease: JobLease | undefined, now: number): string {
  const location = lease?.location;
  const place =
    location === undefined
      ? 'starting'
      : location.kind === 'process'
        ? `${location.mark.pid} on ${location.mark.host}`
        : `Slurm ${location.id ?? ''}`.trimEnd();
  const silent = lease && silence(lease, now);
  return silent === undefined ? place : `${place}, last heartbeat ${duration(silent)} ago`;
}

/** Jobs with the status of their runs. @param of the jobs whose runs are looked up */
export async function rowsOf(
  folder: string,
  jobs: readonly Job[],
  entries: ReadonlyMap<string, JobEntry>,
  of: (entry: JobEntry) => boolean = () => true,
): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for (const job of jobs) {
    const entry = entries.get(job.name)!;
    const run = of(entry) ? await statusOfJob(folderOfJob(folder, job)) : undefined;
    const held = run?.state === 'running' || run?.state === 'elsewhere'; // by a process that the sweep did not start
    const state = !held && isStopped(entry) ? 'stopped' : entry.state;
    rows.push({ name: job.name, state, entry, ...(run && { run }), ...(job.takes && { takes: job.takes }) });
  }
  return rows;
}

/** All jobs of the sweep in this folder, by its ledger and their folders. */
export async function readRows(folder: string, plan: SweepPlan): Promise<JobRow[]> {
  const ledger = ledgerOf(folder, plan);
  try {
    return await rowsOf(folder, plan.jobs, ledger.all(plan.jobs));
  } finally {
    await ledger.close();
  }
}

/** The status of a job's run, if it has begun; a run that cannot be opened has one too, so that it hides no other. */
async function statusOfJob(path: string): Promise<RunStatus | undefined> {
  if (!existsSync(join(path, 'config.json'))) return undefined;
  try {
    return await statusOf(path);
  } catch (error) {
    if (error instanceof WeirError) return unreadableRun(path, error);
    throw error;
  }
}

const repeatEvery = 60_000; // milliseconds between two equal plain lines

/** Shows the jobs of a sweep: on a terminal a table that is redrawn in place, elsewhere a line at each change. */
export class LiveSweep {
  private readonly display: LiveDisplay | undefined;
  private drawing: Promise<void> | undefined;
  private printed = { line: '', at: 0 };
  private closed = false;

  constructor(
    private readonly title: string,
    private readonly folder: string,
    private readonly jobs: readonly Job[],
    private readonly screen: Screen = process.stderr,
  ) {
    this.display = screen.isTTY === true && process.env.TERM !== 'dumb' ? new LiveDisplay(screen) : undefined;
  }

  readonly watch = (entries: ReadonlyMap<string, JobEntry>): void => {
    if (this.display === undefined) this.print(summary(this.title, entries.values()));
    else this.drawing ??= this.draw(entries, this.display).finally(() => (this.drawing = undefined));
  };

  readonly note = (line: string): void => {
    if (this.display === undefined) this.screen.write(`${line}\n`);
    else this.display.draw([], `${line}\x1b[K\n`);
  };

  /** Leaves the last table on the screen. */
  async close(): Promise<void> {
    await this.drawing;
    this.closed = true;
    this.display?.end();
  }

  private async draw(entries: ReadonlyMap<string, JobEntry>, display: LiveDisplay): Promise<void> {
    const rows = await rowsOf(this.folder, this.jobs, entries, ({ state }) => state === 'running');
    if (this.closed) return;
    const color = usesColor(process.env);
    const { width } = display;
    display.draw([
      summary(this.title, entries.values()),
      ...sweepTable(rows, { width, most: Math.max(1, display.height - 2), color }),
    ]);
  }

  private print(line: string): void {
    const now = Date.now();
    if (line === this.printed.line && now - this.printed.at < repeatEvery) return;
    this.printed = { line, at: now };
    this.screen.write(`${line}\n`);
  }
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { WeirError } from '../flow/errors.js';
import { count, duration, NONE } from '../plot/table.js';
import { type Screen, usesColor } from '../run/progress.js';
import { columns, cut, InPlace } from '../run/screen.js';
import { damagedRun, type RunStatus, statusOf } from '../run/status.js';
import type { Job } from './jobs.js';
import type { JobEntry, JobLocation, JobState } from './ledger.js';
import { folderOfJob, ledgerOf, type SweepPlan } from './plan.js';

/** A job of a sweep with where it stands, and its run where it has begun. */
export interface JobRow {
  readonly name: string;
  readonly entry: JobEntry;
  readonly run?: RunStatus;
}

const order: readonly JobState[] = ['running', 'failed', 'cancelled', 'waiting', 'done'];
const heads = ['state', 'job', 'network', 'phase', 'epoch', 'update', 'left', 'attempts', 'where'];

/** How many jobs are in which state, in one line. */
export function summary(title: string, entries: Iterable<JobEntry>): string {
  const states = [...entries].map(({ state }) => state);
  const many = (state: JobState): number => states.filter((one) => one === state).length;
  const rest = order.filter((state) => state !== 'done' && many(state) > 0).map((state) => `${many(state)} ${state}`);
  return [`${title}: ${many('done')} of ${states.length} done`, ...rest].join(' · ');
}

/**
 * Jobs as aligned lines, those under way first, and below them why some did not end well.
 *
 * @param most rows, where there are more the last line says how many
 */
export function sweepTable(
  rows: readonly JobRow[],
  { width = Number.POSITIVE_INFINITY, most = Number.POSITIVE_INFINITY, color = pc.isColorSupported } = {},
): string[] {
  const c = pc.createColors(color);
  const paint: Readonly<Record<JobState, (text: string) => string>> = {
    ...{ waiting: c.dim, running: c.green, done: c.dim, failed: c.red, cancelled: c.yellow },
  };
  const sorted = order.flatMap((state) => rows.filter(({ entry }) => entry.state === state));
  const shown = sorted.slice(0, sorted.length > most ? Math.max(0, most - 1) : most);
  const cells = shown.map(cellsOf);
  const widths = heads.map((head, i) => Math.max(columns(head), ...cells.map((row) => columns(row[i]!))));
  const line = (row: readonly string[]): string =>
    cut(
      row
        .map((cell, i) => cell + ' '.repeat(widths[i]! - columns(cell)))
        .join('  ')
        .trimEnd(),
      width,
    );
  const hidden = sorted.length - shown.length;
  return [
    c.dim(line(heads)),
    ...shown.map(({ entry }, i) => {
      const text = line(cells[i]!);
      return paint[entry.state](text.slice(0, widths[0])) + text.slice(widths[0]);
    }),
    ...(hidden > 0 ? [c.dim(`… and ${hidden} more`)] : []),
  ];
}

/** Why jobs that failed or were cancelled did, and what is damaged of others, a line each. */
export const reasons = (rows: readonly JobRow[]): string[] =>
  rows.flatMap(({ name, entry, run }) => {
    if (entry.state === 'failed' || entry.state === 'cancelled')
      return [`${pc.red(entry.state)} ${name}: ${(entry.reason ?? 'without a reason').split('\n', 1)[0]}`];
    return run?.state === 'damaged' ? [`${pc.red('damaged')} ${name}: ${run.damage?.split('\n', 1)[0]}`] : [];
  });

function cellsOf({ name, entry, run }: JobRow): string[] {
  const of = (value: number | null | undefined, whole: number | null | undefined): string =>
    typeof value !== 'number' ? NONE : `${count(value)}${typeof whole === 'number' ? `/${count(whole)}` : ''}`;
  const running = entry.state === 'running';
  const network = run?.network ?? null;
  return [
    entry.state,
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
    running ? whereIs(entry.lease?.place) : NONE,
  ];
}

function whereIs(place: JobLocation | undefined): string {
  if (place === undefined) return 'starting';
  if (place.kind === 'process') return `${place.mark.pid} on ${place.mark.host}`;
  return place.id === undefined ? 'Slurm' : `Slurm ${place.id}`;
}

/** Jobs with their runs as far as those have come. */
export async function rowsOf(
  folder: string,
  jobs: readonly Job[],
  entries: ReadonlyMap<string, JobEntry>,
  of: (entry: JobEntry) => boolean = () => true,
): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for (const job of jobs) {
    const entry = entries.get(job.name)!;
    const run = of(entry) ? await begun(folderOfJob(folder, job)) : undefined;
    rows.push({ name: job.name, entry, ...(run && { run }) });
  }
  return rows;
}

/** The jobs of the sweep in this folder, as its ledger and their folders have them. */
export async function readRows(folder: string, plan: SweepPlan): Promise<JobRow[]> {
  const ledger = ledgerOf(folder, plan);
  try {
    return await rowsOf(folder, plan.jobs, ledger.all(plan.jobs));
  } finally {
    await ledger.close();
  }
}

/** Where the run of a job stands; one that is damaged hides no other. */
async function begun(path: string): Promise<RunStatus | undefined> {
  if (!existsSync(join(path, 'config.json'))) return undefined;
  try {
    return await statusOf(path);
  } catch (error) {
    if (error instanceof WeirError) return damagedRun(path, error);
    throw error;
  }
}

const silence = 60_000; // milliseconds between two plain lines where nothing changes

/** Shows where the jobs of a sweep stand: a table in place on a terminal, elsewhere a line whenever one ends. */
export class LiveSweep {
  private readonly place: InPlace | undefined;
  private drawing: Promise<void> | undefined;
  private said = { line: '', at: 0 };
  private closed = false;

  constructor(
    private readonly title: string,
    private readonly folder: string,
    private readonly jobs: readonly Job[],
    private readonly screen: Screen = process.stderr,
  ) {
    this.place = screen.isTTY === true && process.env.TERM !== 'dumb' ? new InPlace(screen) : undefined;
  }

  readonly watch = (entries: ReadonlyMap<string, JobEntry>): void => {
    if (this.place === undefined) this.say(summary(this.title, entries.values()));
    else this.drawing ??= this.draw(entries, this.place).finally(() => (this.drawing = undefined));
  };

  readonly note = (line: string): void => {
    if (this.place === undefined) this.screen.write(`${line}\n`);
    else this.place.draw([], `${line}\x1b[K\n`);
  };

  /** Leaves the last table standing. */
  async close(): Promise<void> {
    await this.drawing;
    this.closed = true;
    this.place?.end();
  }

  private async draw(entries: ReadonlyMap<string, JobEntry>, place: InPlace): Promise<void> {
    const rows = await rowsOf(this.folder, this.jobs, entries, ({ state }) => state === 'running');
    if (this.closed) return;
    const color = usesColor(process.env);
    const { width } = place;
    place.draw([
      summary(this.title, entries.values()),
      ...sweepTable(rows, { width, most: Math.max(1, place.height - 2), color }),
    ]);
  }

  private say(line: string): void {
    const now = Date.now();
    if (line === this.said.line && now - this.said.at < silence) return;
    this.said = { line, at: now };
    this.screen.write(`${line}\n`);
  }
}

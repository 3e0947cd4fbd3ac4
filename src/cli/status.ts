import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { WeirError } from '../flow/errors.js';
import { textTable, toOutput } from '../flow/terminal.js';
import { count, duration, NONE, number } from '../plot/table.js';
import { type LifecycleState, type RunStatus, statusOf, unreadableRun } from '../run/status.js';
import { begunRuns, readPlan } from '../sweep/plan.js';
import { readRows, reasons, stoppedNote, summary, sweepTable, trainedFor } from '../sweep/table.js';

const paint: Readonly<Record<LifecycleState, (text: string) => string>> = {
  running: pc.green,
  elsewhere: pc.green,
  stopped: pc.yellow,
  failed: pc.red,
  killed: pc.red,
  done: pc.dim,
  damaged: pc.red,
  'older format': pc.dim,
};

const heads = [
  'state',
  'run',
  'network',
  'phase',
  'epoch',
  'update',
  'rate',
  'left',
  'to train',
  'snapshot',
  'process',
];

/** Runs as aligned lines, or 'no runs'. Below them stands the reason of each run that failed or ended early. */
export function statusTable(all: readonly RunStatus[]): string[] {
  if (all.length === 0) return ['no runs'];
  const rows = all.map(cells).map(([state, ...rest], i) => [paint[all[i]!.state](state!), ...rest]);
  const [head, ...lines] = textTable([heads, ...rows]);
  const failed = all.flatMap(({ state, path, failure, damage }) => {
    const why = state === 'damaged' ? damage : state === 'failed' ? failure?.message : undefined;
    return why ? [`${pc.red(state)} ${path}: ${why.split('\n', 1)[0]}`] : [];
  });
  const ended = all.flatMap(({ path, network, ending }) =>
    ending === null ? [] : [`${path}: the training of ${network!.name} ended early, as ${ending}`],
  );
  return [pc.dim(head!), ...lines, ...failed, ...ended];
}

function cells(status: RunStatus): string[] {
  const { network, process, phase, measured, snapshotAge, secondsLeft, secondsToTrain, rate } = status;
  const running = status.state === 'running' || status.state === 'elsewhere';
  const of = (value: number | null, whole: number | null): string =>
    value === null ? NONE : `${count(value)}${whole === null ? '' : `/${count(whole)}`}`;
  const phaseOf = (): string => {
    if (status.state === 'done') return NONE;
    return measured ? `${measured.name} ${of(measured.done, measured.of)}` : (phase ?? NONE);
  };
  const many = (network?.of ?? 1) > 1;
  return [
    status.state,
    status.path,
    network === null ? NONE : `${network.name}${many ? ` (${network.index} of ${network.of})` : ''}`,
    phaseOf(),
    of(status.epoch, status.epochs),
    of(status.update, status.updates),
    !running || rate === null ? NONE : `${number(rate)}/s`,
    !running || secondsLeft === null ? NONE : duration(secondsLeft),
    !running || secondsToTrain === null || !many ? NONE : duration(secondsToTrain),
    snapshotAge === null ? 'none' : `${duration(snapshotAge)} ago`,
    process === null || !running ? NONE : `${process.pid} on ${process.host}`,
  ];
}

/** Prints the states of the jobs of a sweep. */
export async function showSweep(folder: string, { json }: { readonly json?: boolean }): Promise<void> {
  const plan = readPlan(folder)!;
  const rows = await readRows(folder, plan);
  const lines = json
    ? [JSON.stringify(rows, undefined, 2)]
    : [
        summary(`sweep ${folder}`, rows),
        ...sweepTable(rows),
        ...trainedFor(plan.jobs),
        ...stoppedNote(folder, rows),
        ...reasons(rows),
      ];
  toOutput(`${lines.join('\n')}\n`);
}

/** `weir status [RUN…]`: the state of runs, how far they are, and when they will be done. */
export function command(): Command {
  return new Command('status')
    .description('show the state of runs: which are running, how far they are, when they will be done')
    .argument('[run...]', 'folders of runs (default: all under runs/)')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  weir status\n  weir status runs/reproduce-xor --json\n\n‘left’ is the time left in this phase; ‘to train’ is that of all training, without the measurements in between.',
    )
    .action(async (runs: string[], settings: { json?: boolean }) => {
      const sweeps = runs.filter((path) => readPlan(path) !== undefined);
      if (!settings.json && runs.length > 0 && sweeps.length === runs.length) {
        for (const sweep of sweeps) await showSweep(sweep, settings);
        return;
      }
      const paths = runs.length > 0 ? runs.flatMap(runsOf) : runsUnder('runs');
      const all: RunStatus[] = [];
      for (const path of paths) {
        try {
          if (!holdsRun(path)) readPlan(path); // throws where it is damaged
          all.push(await statusOf(path));
        } catch (error) {
          const isKnown = error instanceof WeirError || (error as NodeJS.ErrnoException).code !== undefined; // such as EIO
          if (!isKnown || !(holdsRun(path) || !runs.includes(path))) throw error;
          all.push(unreadableRun(path, error as Error)); // other runs are shown all the same
        }
      }
      if (settings.json) toOutput(`${JSON.stringify(all, undefined, 2)}\n`);
      else for (const line of statusTable(all)) toOutput(`${line}\n`);
    });
}

/** The run in this folder, or the runs of its sweep or experiment; the folder itself where it holds none, so that the error names it. */
function runsOf(folder: string): string[] {
  const plan = readPlan(folder);
  if (plan !== undefined) return begunRuns(folder, plan);
  const found = runsUnder(folder, 1);
  return found.length > 0 ? found : [folder];
}

/** The plan of a sweep. A damaged one does not hide other folders: its error is shown where its status is. */
function planIn(folder: string): ReturnType<typeof readPlan> | 'damaged' {
  try {
    return readPlan(folder);
  } catch (error) {
    if (error instanceof WeirError) return 'damaged';
    throw error;
  }
}

const holdsRun = (folder: string): boolean => existsSync(join(folder, 'config.json'));

/** Folders with a run, those inside of experiments included, by name. */
export function runsUnder(folder: string, depth = 2): string[] {
  if (!existsSync(folder) || depth < 0) return [];
  if (holdsRun(folder)) return [folder];
  const plan = planIn(folder);
  if (plan === 'damaged') return [folder];
  if (plan !== undefined) return begunRuns(folder, plan);
  const names = foldersIn(folder);
  if (names === 'unreadable') return [folder];
  return names.sort().flatMap((name) => runsUnder(join(folder, name), depth - 1));
}

/** The folders in a folder; none in a file. One that cannot be read does not hide others: its error is shown where its status is. */
function foldersIn(folder: string): string[] | 'unreadable' {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? [] : 'unreadable';
  }
}

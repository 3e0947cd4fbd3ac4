import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { linesOf, startWeir, timed, weir } from './project.js';

const KILLS = 4;
const MOST_LINES = 40;
const experiment = join(import.meta.dirname, 'experiment');
const module = 'experiment/experiment.ts';
const often = ['--snapshot-every', '0.1'];
const small = ['--set', 'epochs=20'];

/** Every part of `experiment/` is short: a file each. @throws for one of `MOST_LINES` lines or more */
export function countLines(): void {
  const counted = readdirSync(experiment).map((file) => [file, linesOf(join(experiment, file))] as const);
  console.log(`  lines: ${counted.map(([file, lines]) => `${file} ${lines}`).join(', ')}`);
  const long = counted.filter(([, lines]) => lines >= MOST_LINES);
  if (long.length > 0) throw new Error(`parts of ${MOST_LINES} lines or more: ${long.join('; ')}`);
}

/**
 * The experiment of which every part is the user's own, in a project that has Weir and `experiment/`: killed by SIGKILL and resumed it ends
 * in the state of a run never interrupted, and the report has a chart of its measurement.
 *
 * @throws where it does not
 */
export async function ownParts(project: string): Promise<void> {
  await timed('  own parts', () => weir(project, 'run', module, ...small, ...often, '--run', 'runs/whole'));
  checkReport(join(project, 'runs/whole'));
  await timed(`  own parts, killed ${KILLS} times`, () => killed(project, 'runs/killed'));
  const [whole, resumed] = await Promise.all(['whole', 'killed'].map((name) => hashOf(project, `runs/${name}`)));
  console.log(`    ${whole}\n    ${resumed}`);
  if (whole !== resumed) throw new Error('the run that was killed ended in another state');
  checkReport(join(project, 'runs/killed'));
}

const hashOf = async (project: string, folder: string): Promise<string> =>
  (await weir(project, 'hash', '--all', folder)).stdout.trim();

/** Runs the experiment, killed when its log has grown to random lengths over the whole of it, and resumed each time. */
async function killed(project: string, folder: string): Promise<void> {
  const log = join(project, folder, 'metrics.ndjson');
  const whole = statSync(join(project, 'runs/whole/metrics.ndjson')).size;
  for (let kill = 0; ; kill++) {
    const length = kill < KILLS ? (whole * (kill + Math.random())) / KILLS : Number.POSITIVE_INFINITY;
    const begun = existsSync(join(project, folder, 'config.json'));
    const args = begun ? ['resume', folder, ...often] : ['run', module, ...small, ...often, '--run', folder];
    const ending = await endOf(project, args, () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > length);
    if (ending === 'done') {
      if (kill < KILLS) throw new Error(`the run was done after ${kill} kills`);
      return;
    }
  }
}

/** Runs the command to its end, or kills it as soon as `now` says so. @throws where it fails */
async function endOf(project: string, args: readonly string[], now: () => boolean): Promise<'done' | 'killed'> {
  const child = startWeir(project, ...args);
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<'ended'>((resolve) => child.on('close', () => resolve('ended')));
  while ((await Promise.race([ended, setTimeout(2)])) !== 'ended') if (now()) child.kill('SIGKILL');
  if (child.signalCode === 'SIGKILL') return 'killed';
  if (child.exitCode === 0) return 'done';
  throw new Error(`weir ${args.join(' ')} ended with ${child.signalCode ?? child.exitCode}:\n${said}`);
}

/** The user's measurement is a chart of the report by the words of its record, and a number in it. */
function checkReport(run: string): void {
  const chart = 'length of the path of weights over epochs';
  if (!readFileSync(join(run, 'report/report.html'), 'utf8').includes(chart)) {
    throw new Error(`the report in ${run} has no chart '${chart}'`);
  }
  const log = readFileSync(join(run, 'metrics.ndjson'), 'utf8').trimEnd().split('\n');
  const lengths = log.flatMap((line) => (line.includes('"stream":"paths"') ? [JSON.parse(line).length as number] : []));
  if (
    !(lengths.length > 1 && lengths.at(-1)! > 0 && lengths.every((length, i) => i === 0 || length >= lengths[i - 1]!))
  ) {
    throw new Error(`the lengths of the path in ${run} do not rise: ${lengths.join(', ')}`);
  }
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf, start } from '../cli/weir.js';

const settings = [
  ...['profile=quick', 'epochs=3', 'burnIn=1', 'hidden=48', 'attacked=4', 'iterations=5'],
  'regularizers=none,rep-spectral',
].flatMap((setting) => ['--set', setting]);
const often = ['--snapshot-every', '0.2', '--no-control'];

/** Arguments of a small run of MNIST in this folder by two ranks. */
export const small = (folder: string, ...more: readonly string[]): string[] => [
  ...['run', 'pipelines/mnist.ts', '--run', folder, '--ranks', '2'],
  ...often,
  ...settings,
  ...more,
];

/** Process ids of the ranks that a supervisor has started. */
export function ranksOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        if (!readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('weir.js')) return false; // the TypeScript compiler is a child process too
        return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]) === pid;
      } catch {
        return false; // the process has ended
      }
    })
    .map(Number);
}

export interface Killed {
  readonly kills: number;
  /** The supervisor's last line for each. */
  readonly said: readonly string[];
  readonly hash: string;
}

/**
 * Runs the small run to its end, and kills a rank or the supervisor at random instants.
 *
 * @param most how many kills @param seconds how long the run takes uninterrupted @param random in [0, 1)
 */
export async function withKills(folder: string, most: number, seconds: number, random = Math.random): Promise<Killed> {
  const said: string[] = [];
  let kills = 0;
  for (;;) {
    const begun = existsSync(join(folder, 'config.json'));
    const { child, ended } = begun ? start('resume', folder, ...often) : start(...small(folder));
    const timer = setTimeout(
      () => {
        const ranks = ranksOf(child.pid!);
        const victim = [...ranks, child.pid!][Math.floor(random() * (ranks.length + 1))]!;
        process.kill(victim, 'SIGKILL');
      },
      kills < most ? 1000 * (0.2 + 0.8 * random()) * seconds : 2 ** 30,
    );
    const { status, err } = await ended;
    clearTimeout(timer);
    if (status === 0) break;
    if (status !== 75 && status !== 'SIGKILL') throw new Error(`it ended with ${status}: ${err}`);
    if (status === 75) said.push(err.split('\n').find((line) => line.includes('all ranks were stopped')) ?? err);
    kills++;
  }
  return { kills, said, hash: await hashOf(folder) };
}

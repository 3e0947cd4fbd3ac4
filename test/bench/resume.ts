import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start, weir } from '../cli/weir.js';
import { machine } from './compare.js';

/**
 * SIGKILL at random instants over training, snapshot and attack of a small MNIST run, resumed until it is done, against the run never
 * interrupted: the same `weir hash --all`. Every fourth kill waits, from its instant on, for a snapshot to be begun.
 * `npm run bench -- resume [KILLS]`, 30 by default, over 20 runs at least where that many are asked for.
 */
const settings = [
  'profile=quick',
  'epochs=6',
  'burnIn=3',
  'hidden=64',
  'attacked=20',
  'iterations=10',
  'regularizers=none,rep-spectral',
];
const often = ['--snapshot-every', '0.1'];
const minimalRuns = 20;

export async function bench([wanted = '30']: string[]): Promise<boolean> {
  console.log(machine());
  const base = mkdtempSync(join(tmpdir(), 'weir-resume-'));
  const args = (folder: string) => [
    'run',
    'pipelines/mnist.ts',
    '--run',
    folder,
    ...often,
    ...settings.flatMap((one) => ['--set', one]),
  ];
  try {
    await weir(...args(join(base, 'warm'))); // the first one also reads from a cold disk
    const begun = performance.now();
    await weir(...args(join(base, 'whole')));
    const seconds = (performance.now() - begun) / 1000;
    const whole = (await weir('hash', '--all', join(base, 'whole'))).out.trim();
    console.log(`never interrupted: ${seconds.toFixed(1)} s, ${whole}`);
    const perRun = Math.max(3, Math.ceil(Number(wanted) / minimalRuns));
    const killed = { training: 0, snapshot: 0, attack: 0, 'before its first line': 0 };
    let kills = 0;
    let runs = 0;
    let same = 0;
    while (kills < Number(wanted)) {
      const folder = join(base, `run-${++runs}`);
      for (let inRun = 0; ; inRun++) {
        const begun = Date.now();
        const { child, ended } = existsSync(join(folder, 'config.json'))
          ? start('resume', folder, ...often)
          : start(...args(folder));
        const kill = () => child.kill('SIGKILL');
        let looking: NodeJS.Timeout | undefined;
        const atRandom = () => {
          if (kills % 4 !== 3) kill();
          else looking = setInterval(() => isWriting(folder, begun) && kill(), 1);
        };
        const after = 1000 * (0.1 + 0.5 * Math.random()) * seconds;
        const timer = inRun < perRun ? setTimeout(atRandom, after) : undefined;
        const { status, err } = await ended;
        clearTimeout(timer);
        clearInterval(looking);
        if (status === 0) break;
        if (status !== 'SIGKILL') throw new Error(`run ${runs} ended with ${status}: ${err}`);
        kills++;
        killed[where(folder, begun)]++;
      }
      const hash = (await weir('hash', '--all', folder)).out.trim();
      if (hash === whole) same++;
      console.log(`run ${runs}: ${kills} kills so far, ${hash === whole ? 'the same' : `another: ${hash}`}`);
      rmSync(folder, { recursive: true, force: true });
    }
    const phases = Object.entries(killed).map(([phase, n]) => `${n} in ${phase}`);
    console.log(`${kills} kills over ${runs} runs: ${phases.join(', ').replace('in before', 'before')}`);
    console.log(`resume ratio ${(same / runs).toFixed(2)} (reach 1.00)`);
    return same === runs;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** Whether a snapshot is being written, or was when the run was killed: by one begun since, for a resumed run tidies late. */
function isWriting(folder: string, since: number): boolean {
  const snapshots = join(folder, 'snapshots');
  if (!existsSync(snapshots)) return false;
  return readdirSync(snapshots, { recursive: true, encoding: 'utf8' }).some((name) => {
    const file = name.endsWith('.part') && statSync(join(snapshots, name), { throwIfNoEntry: false });
    return file && file.mtimeMs >= since;
  });
}

/** The phase in which a run was killed, by the files that it left. */
function where(folder: string, begun: number): 'training' | 'snapshot' | 'attack' | 'before its first line' {
  if (isWriting(folder, begun)) return 'snapshot';
  const log = join(folder, 'metrics.ndjson');
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
  const last = lines.filter((line) => line.endsWith('}')).at(-1);
  if (last === undefined) return 'before its first line';
  return (JSON.parse(last) as { stream: string }).stream === 'attacks' ? 'attack' : 'training';
}

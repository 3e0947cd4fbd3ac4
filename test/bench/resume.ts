import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start, weir } from '../run/weir.js';
import { machine } from './compare.js';

/**
 * SIGKILL at random instants over training, snapshot and attack of a small MNIST run, resumed until it is done, against the run never
 * interrupted: the same `weir hash --all`. `npm run bench -- resume [KILLS]`, 30 by default.
 */
const settings = [
  'profile=quick',
  'epochs=6',
  'burnIn=3',
  'hidden=64',
  'attacked=20',
  'iterations=10',
  'regularisers=none,rep-spectral',
];
const often = ['--snapshot-every', '0.2'];

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
    const begun = performance.now();
    await weir(...args(join(base, 'whole')));
    const seconds = (performance.now() - begun) / 1000;
    const whole = (await weir('hash', '--all', join(base, 'whole'))).out.trim();
    console.log(`never interrupted: ${seconds.toFixed(1)} s, ${whole}`);
    let kills = 0;
    let runs = 0;
    let same = 0;
    while (kills < Number(wanted)) {
      const folder = join(base, `run-${++runs}`);
      for (;;) {
        const { child, ended } = existsSync(join(folder, 'config.json'))
          ? start('resume', folder, ...often)
          : start(...args(folder));
        const timer = setTimeout(() => child.kill('SIGKILL'), 1000 * (0.15 + 0.8 * Math.random()) * seconds);
        const { status, err } = await ended;
        clearTimeout(timer);
        if (status === 0) break;
        if (status !== 'SIGKILL') throw new Error(`run ${runs} ended with ${status}: ${err}`);
        kills++;
      }
      const hash = (await weir('hash', '--all', folder)).out.trim();
      if (hash === whole) same++;
      console.log(`run ${runs}: ${kills} kills so far, ${hash === whole ? 'the same' : `another: ${hash}`}`);
    }
    console.log(`${kills} kills over ${runs} runs`);
    console.log(`resume ratio ${(same / runs).toFixed(2)} (reach 1.00)`);
    return same === runs;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

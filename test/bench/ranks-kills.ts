import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { weir } from '../cli/weir.js';
import { small, withKills } from '../ranks/kills.js';
import { machine } from './compare.js';

/**
 * A run of two ranks of which one, or the supervisor, is killed at random instants, and that is resumed until it is done: against the run
 * never interrupted, the same `weir hash --all`. `npm run bench -- ranks-kills [KILLS]`, 30 by default.
 */
export async function bench([wanted = '30']: string[]): Promise<boolean> {
  console.log(machine());
  const base = mkdtempSync(join(tmpdir(), 'weir-ranks-kills-'));
  try {
    const begun = performance.now();
    await weir(...small(join(base, 'whole')));
    const seconds = (performance.now() - begun) / 1000;
    const whole = (await weir('hash', '--all', join(base, 'whole'))).out.trim();
    console.log(`never interrupted: ${seconds.toFixed(1)} s, ${whole}`);
    let kills = 0;
    let runs = 0;
    let same = 0;
    const said: string[] = [];
    for (; kills < Number(wanted); runs++) {
      const killed = await withKills(join(base, `run-${runs}`), 5, seconds);
      kills += killed.kills;
      said.push(...killed.said);
      if (killed.hash === whole) same++;
      console.log(
        `run ${runs + 1}: ${kills} kills so far, ${killed.hash === whole ? 'the same' : `another: ${killed.hash}`}`,
      );
    }
    const named = said.filter((line) => /rank [01] on \S+ was ended by SIGKILL/.test(line)).length;
    console.log(`${kills} kills over ${runs} runs; ${said.length} of a rank, which was named ${named} times`);
    console.log(`ranks-kills ratio ${(same / runs).toFixed(2)} (reach 1.00)`);
    return same === runs && named === said.length;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzz } from '../fuzz/fuzz.js';
import { single, targets } from '../fuzz/target/all.js';
import { watchdog } from '../fuzz/watchdog.js';
import { machine } from './compare.js';
import { collectGarbage } from './sides/garbage.js';

/**
 * Every reader of files and settings on 100,000 inputs each: a `WeirError` or a right load, never another exception, a hang, or memory
 * far beyond the file. `npm run bench -- fuzz [COUNT] [TARGET] [SEED]`: the last two repeat what a finding names.
 */
export async function bench([count = '100000', only, seed = '1000']: string[]): Promise<boolean> {
  console.log(machine());
  const shared = '/dev/shm'; // a million files are written: better not to a disk
  const folder = mkdtempSync(join(existsSync(shared) ? shared : tmpdir(), 'weir-fuzz-'));
  const all = targets(folder).filter(({ name }) => only === undefined || name === only);
  const dog = watchdog(
    all.map(({ name }) => name),
    30,
  );
  let [inputs, right] = [0, 0];
  try {
    for (const [i, target] of all.entries()) {
      const begun = performance.now();
      const begin = (at: number): void => dog.begin(i, at);
      const { loaded, refused, slowest, largest, findings } = await fuzz(target, {
        from: Number(seed),
        count: Number(count),
        folder,
        begin,
      });
      collectGarbage(); // V8 does not count shared memory, and lets a gigabyte of it wait where so many data sets are read
      inputs += loaded + refused + findings.length;
      right += loaded + refused;
      console.log(
        `${target.name.padEnd(14)} ${loaded} loaded, ${refused} refused, ${findings.length} wrong; ` +
          `slowest ${slowest.toFixed(0)} ms, most memory ${(largest / 1024).toFixed(0)} KiB; ` +
          `then resident ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB; ` +
          `${((performance.now() - begun) / 1000).toFixed(0)} s`,
      );
      for (const { seed: at, what } of findings) console.log(`  seed ${at}: ${what}`);
    }
    for (const target of only === undefined ? single : []) {
      const { refused } = await fuzz(target, { from: 1, count: 1, folder });
      console.log(`${target.name.padEnd(14)} ${refused === 1 ? 'refused' : 'not refused'}`);
      inputs++;
      right += refused;
    }
  } finally {
    dog.end();
    rmSync(folder, { recursive: true });
  }
  console.log(`fuzz ratio ${(right / inputs).toFixed(2)} (reach 1.00)`);
  return right === inputs;
}

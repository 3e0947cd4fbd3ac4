import { faultKinds, withFaults } from '../data/augment/faults.js';
import { machine } from './compare.js';

/**
 * Augmentation of 1,000 samples on two worker threads that throw, exit, run out of memory or hang at 5 % of them, against the same
 * without faults: the same SHA-256. `npm run bench -- worker-faults [ITEMS] [SEED]`.
 */
export async function bench([items = '1000', seed = '1']: string[]): Promise<boolean> {
  console.log(machine());
  const clean = await withFaults(Number(items));
  console.log(`without faults  ${clean.sha256}`);
  let same = 0;
  for (const kind of faultKinds) {
    const begun = performance.now();
    const { sha256, faults } = await withFaults(Number(items), kind, { seed: Number(seed) });
    if (sha256 === clean.sha256) same++;
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    console.log(
      `${kind.padEnd(7)} ${faults} faults, ${seconds} s: ${sha256 === clean.sha256 ? 'the same' : `another: ${sha256}`}`,
    );
  }
  console.log(`worker-faults ratio ${(same / faultKinds.length).toFixed(2)} (reach 1.00)`);
  return same === faultKinds.length;
}

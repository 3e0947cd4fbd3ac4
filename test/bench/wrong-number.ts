import { played } from '../outside/case.js';
import { cases } from '../outside/cases/all.js';

/**
 * Plays every case of `test/outside` through the command line, as real processes, and prints how many ended in silence. Options are
 * parts of names: then only the cases that hold one of them.
 */
export async function bench(parts: string[]): Promise<boolean> {
  const chosen = cases.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
  const count = { well: 0, silence: 0, broken: 0 };
  for (const one of chosen) {
    const end = await played(one);
    count[end.how]++;
    console.log(
      `${end.how.padEnd(8)} ${one.name}${end.how === 'well' ? '' : `\n  ${end.why.trim().replaceAll('\n', '\n  ')}`}`,
    );
  }
  console.log(`wrong-number: ${chosen.length} cases, ${count.silence} in silence, ${count.broken} could not be played`);
  return chosen.length > 0 && count.silence + count.broken === 0;
}

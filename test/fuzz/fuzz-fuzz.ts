import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../../src/flow/errors.js';
import { mutated } from './mutate.js';
import { oneOf, randomOf } from './random.js';
import type { Target } from './target.js';

/** What was wrong with a reader on one input. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  readonly what: string;
}

export interface Outcome {
  /** Inputs that loaded, and that were refused as they should be. */
  readonly loaded: number;
  readonly refused: number;
  /** The longest that a reader took, in milliseconds, and the most memory that one took at once beyond its file, in bytes. */
  readonly slowest: number;
  readonly largest: number;
  readonly findings: readonly Finding[];
}

const patience = 5000; // milliseconds: the machine may be busy
const memory = (bytes: number): number => 64 * bytes + 2 ** 25;
const mostFindings = 20;

/** The input that a seed stands for. */
export function inputOf(target: Target, seed: number): Buffer {
  const random = randomOf(seed);
  if (target.make) return Buffer.from(target.make(random));
  const bytes = mutated(oneOf(random, target.originals), random);
  if (target.mend && random(4) > 0) target.mend(bytes); // most: else all but a few end at a checksum
  return bytes;
}

/**
 * Hands a reader `count` inputs, by seed. It must load each or throw a `WeirError`, in time, without much memory.
 *
 * @param begin is told of each seed before its turn, for a watchdog
 */
export async function fuzz(
  target: Target,
  { from, count, folder, begin }: { from: number; count: number; folder: string; begin?: (seed: number) => void },
): Promise<Outcome> {
  const findings: Finding[] = [];
  let [loaded, refused, slowest, largest] = [0, 0, 0, 0];
  const file = join(folder, 'input');
  for (let seed = from; seed < from + count && findings.length < mostFindings; seed++) {
    begin?.(seed);
    const found = (what: string): void => void findings.push({ target: target.name, seed, what });
    const bytes = inputOf(target, seed);
    writeFileSync(file, bytes);
    const before = process.memoryUsage().arrayBuffers;
    const begun = performance.now();
    try {
      await target.read(file, bytes);
      loaded++;
    } catch (error) {
      if (error instanceof WeirError) refused++;
      else found(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    const took = performance.now() - begun;
    const taken = process.memoryUsage().arrayBuffers - before;
    slowest = Math.max(slowest, took);
    largest = Math.max(largest, taken);
    if (took > patience) found(`took ${took.toFixed(0)} ms`);
    if (taken > memory(bytes.length)) found(`took ${taken} bytes of memory for a file of ${bytes.length}`);
  }
  return { loaded, refused, slowest, largest, findings };
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../../src/flow/errors.js';

/** Whole numbers below `n`, the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}
export type Random = ReturnType<typeof randomOf>;

export const oneOf = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;

/** A reader, real input for it, and how to call it. */
export interface Target {
  readonly name: string;
  readonly originals: readonly Uint8Array[];
  /** Makes checksums right again after a change, so that what lies behind them is met too. */
  readonly mend?: (bytes: Buffer) => void;
  /** Other input than a mutated original. */
  readonly make?: (random: Random) => Uint8Array;
  /** Reads all that the file holds; throws where it refuses it. */
  readonly read: (file: string, bytes: Uint8Array) => unknown;
}

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const lengths = [0, 1, 2, 7, 255, 65_535, 2 ** 16, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 8, 2 ** 32 - 1];
const doubles = [Number.NaN, Infinity, -1, -0, 0.5, 2 ** 53, 2 ** 62, 1e300, 5e-324, -(2 ** 31)];

const inPlace =
  (alter: (bytes: Buffer, at: number, random: Random) => void, size = 1): Mutation =>
  (bytes, random) => {
    if (bytes.length >= size) alter(bytes, random(bytes.length - size + 1), random);
    return bytes;
  };

const mutations: readonly Mutation[] = [
  inPlace((bytes, at, random) => (bytes[at]! ^= 1 << random(8))),
  inPlace((bytes, at, random) => (bytes[at] = random(256))),
  inPlace((bytes, at, random) => bytes.writeUInt32LE(oneOf(random, lengths), at), 4),
  inPlace((bytes, at, random) => bytes.writeUInt32BE(oneOf(random, lengths), at), 4),
  inPlace((bytes, at, random) => bytes.writeUInt32LE((bytes.readUInt32LE(at) + 1 + random(64)) >>> 0, at), 4),
  inPlace((bytes, at, random) => bytes.writeUInt16BE(oneOf(random, lengths) & 0xffff, at), 2),
  inPlace((bytes, at, random) => bytes.writeDoubleLE(oneOf(random, doubles), at), 8),
  inPlace((bytes, at, random) => bytes.writeBigUInt64LE(BigInt(oneOf(random, lengths)) << BigInt(random(33)), at), 8),
  inPlace((bytes, at, random) => bytes.subarray(at, at + 1 + random(64)).fill(oneOf(random, [0, 255, 32, 0xc1]))),
  inPlace((bytes, at, random) => bytes.copy(bytes, random(bytes.length), at, at + 1 + random(64))), // one part over another
  (bytes, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, bytes.subarray(random(bytes.length + 1))]),
  (bytes, random) => {
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(16))]);
  },
  (bytes, random) => {
    const at = random(bytes.length + 1);
    const more = Buffer.from(Array.from({ length: 1 + random(16) }, () => random(256)));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  },
];

/** A copy of the bytes with one to five of: bits and bytes changed, lengths and counts spliced in, parts copied, cut, doubled, added. */
export function mutated(bytes: Uint8Array, random: Random): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = 1 + random(5); left > 0; left--) result = oneOf(random, mutations)(result, random);
  return result;
}

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

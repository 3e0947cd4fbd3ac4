import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { SnapshotStore } from '../../src/storage/snapshot-store.js';
import { randomOf } from '../fuzz/fuzz.js';

export interface Alterations {
  /** Bytes between two lengths that the file is cut to. */
  readonly every: number;
  /** Single bits that are flipped, by chance, one at a time. */
  readonly flips: number;
  readonly seed: number;
}

/**
 * Alters the newest snapshot of a folder in many ways, one after another, and looks what the store makes of it: it must refuse it by
 * name and give the one before, whole. Puts it back in the end.
 *
 * @returns how many alterations there were, and each that was not met so
 */
export function alterNewest(folder: string, { every, flips, seed }: Alterations): { tried: number; wrong: string[] } {
  const [newest, before] = new SnapshotStore(folder).list();
  if (newest === undefined || before === undefined) throw new Error(`${folder} has not two snapshots`);
  const whole = readFileSync(newest.path);
  const wanted = new SnapshotStore(folder).open(before.path).data;
  const wrong: string[] = [];
  let tried = 0;
  const check = (what: string, bytes: Uint8Array): void => {
    tried++;
    writeFileSync(newest.path, bytes);
    try {
      const found = new SnapshotStore(folder).newest();
      const refused = found?.refused.length === 1 && found.refused[0]!.message.includes(newest.path);
      if (!refused || found.path !== before.path) wrong.push(`${what}: ${found?.path} was used`);
      else if (!isDeepStrictEqual(found.data, wanted)) wrong.push(`${what}: the one before was not loaded right`);
    } catch (error) {
      wrong.push(`${what}: ${(error as Error).stack}`);
    }
  };
  try {
    for (let length = 0; length < whole.length; length += every)
      check(`cut to ${length} bytes`, whole.subarray(0, length));
    const random = randomOf(seed);
    for (let flip = 0; flip < flips; flip++) {
      const bit = random(8 * whole.length);
      const bytes = Buffer.from(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      check(`bit ${bit} flipped (seed ${seed})`, bytes);
    }
  } finally {
    writeFileSync(newest.path, whole);
  }
  return { tried, wrong };
}

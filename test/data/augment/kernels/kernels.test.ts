import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BLUE, GRAY_BITS, GREEN, RED } from '../../../../src/data/augment/kernels/assembly/constants.js';
import { compileKernels, HASH_SECTION, KERNELS_FILE, sourceHash } from '../../../../src/data/augment/kernels/build.js';

const remedy = 'run npm run kernels, and commit kernels.wasm';
const committed = readFileSync(KERNELS_FILE);

test('the committed kernels were compiled from the sources that lie beside them', () => {
  const section = Buffer.from(`${HASH_SECTION}${sourceHash()}`, 'latin1');
  expect(committed.subarray(-section.length).toString('latin1'), remedy).toBe(section.toString('latin1'));
});

test('the compiler makes the same bytes of them', { timeout: 60_000 }, async () => {
  expect(Buffer.compare(await compileKernels(), committed), remedy).toBe(0);
});

test("the weights of gray are torchvision's", () => {
  expect([RED, GREEN, BLUE]).toEqual([0.2989, 0.587, 0.114].map((weight) => Math.round(weight * 2 ** GRAY_BITS)));
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as ops from '../../../../src/data/augment/ops/index.js';
import { type OpTestOptions, opTests } from '../../../../src/run/testing/op-tests.js';
import { speckle } from '../fixtures/own-ops.js';

/** The ops, and one of a user's. A new one is a row, or calls `opTests` in its own test. Each recipe has a unitScale already. */
const rows: Readonly<Record<string, OpTestOptions>> = {
  colorJitter: { op: ops.colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }) },
  randomGrayscale: { op: ops.randomGrayscale({ probability: 0.5 }) },
  centerCrop: { op: ops.centerCrop({ size: 12 }) },
  randomCrop: { op: ops.randomCrop({ padding: 2 }) },
  randomResizedCrop: { op: ops.randomResizedCrop({ size: 12 }) },
  gaussianBlur: { op: ops.gaussianBlur({ probability: 0.5 }) },
  horizontalFlip: { op: ops.horizontalFlip() },
  gaussianNoise: { op: ops.gaussianNoise({ std: 0.1 }), on: 'floats' },
  lighting: { op: ops.lighting({ std: 0.1 }), on: 'floats' },
  normalize: { op: ops.normalize({ mean: [0.5], std: [0.25] }), on: 'floats' },
  resize: { op: ops.resize({ size: 12 }) },
  solarize: { op: ops.solarize({ threshold: 128 }) },
  speckle: { op: speckle({ std: 0.5 }), on: 'floats' },
};

describe.each(Object.entries(rows))('%s', (_, row) => {
  for (const { name, run } of opTests(row)) test(name, run);
});

test.each(Object.keys(ops).filter((name) => name !== 'unitScale' && !(name in rows)))(
  '%s, which is no row, is held to the rules in its own test',
  (name) => {
    const file = join(import.meta.dirname, `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.test.ts`);
    expect(existsSync(file) && readFileSync(file, 'utf8')).toContain('opTests(');
  },
);

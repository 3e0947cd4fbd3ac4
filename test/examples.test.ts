import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { descent } from '../pipelines/examples/attacks/descent.js';
import { contraction } from '../pipelines/examples/lipschitz-network.js';
import { transformer } from '../pipelines/examples/networks/transformer.js';
import { randomErasing } from '../pipelines/examples/ops/random-erasing.js';
import { focal } from '../pipelines/examples/own-loss.js';
import { weightSizes } from '../pipelines/examples/own-measurement.js';
import { cnn } from '../pipelines/examples/own-network.js';
import { lion } from '../pipelines/examples/own-optimizer.js';
import { orthogonal } from '../pipelines/examples/own-regularizer.js';
import { mlp } from '../src/index.js';
import {
  attackTests,
  lossTests,
  modelTests,
  opTests,
  optimizerTests,
  type PartTest,
  regularizerTests,
  stageTests,
  updatesFor,
} from '../src/testing.js';

/** A user's own part of every kind, as the examples have it, held to the rules for ours. */
const examples: Record<string, PartTest[]> = {
  'lipschitz-network': modelTests({ make: () => contraction(8), tolerance: 0.1 }),
  'own-attack': attackTests({ make: descent }),
  'own-loss': lossTests({ make: () => focal(2) }),
  'own-measurement': stageTests({ make: weightSizes, items: () => updatesFor(mlp([2, 4, 2])) }),
  'own-network': modelTests({ make: () => cnn(2), tolerance: 0.1 }),
  'own-transformer': modelTests({ make: () => transformer(5, 4, 3) }),
  'own-op': opTests({ op: randomErasing({ size: 4 }) }),
  'own-optimizer': optimizerTests({ make: () => lion({ rate: 0.01 }) }),
  'own-regularizer': regularizerTests({
    make: (model, { gamma, ...from }) => orthogonal(model, { gamma: gamma / 30, ...from }),
  }),
};

describe.each(Object.entries(examples))('%s', (_, rules) => {
  for (const { name, run } of rules) test(name, run);
});

test('an example is read at a glance: less than 60 lines', () => {
  const folder = join(import.meta.dirname, '../pipelines/examples');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(10);
  const long = files.filter((file) => readFileSync(join(folder, file), 'utf8').split('\n').length > 60);
  expect(long).toEqual([]);
});

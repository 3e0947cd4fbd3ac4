import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import mnist from '../../../pipelines/mnist.js';
import { flattened } from '../../../src/export/table.js';
import { readSafetensors, writeSafetensors } from '../../../src/learn/weights/safetensors.js';
import { resolveConfig } from '../../../src/run/config.js';
import { floatsOf } from '../../../src/storage/log-stage.js';
import { readMetrics } from '../../../src/storage/metric-reader.js';
import { RunFolder } from '../../../src/storage/run-folder.js';
import { oneOf, type Target } from '../fuzz.js';

/** A real file, made where it is needed. */
export function safetensors(folder: string): Target {
  const file = join(folder, 'original.safetensors');
  const tensors = new Map([
    ['fc.weight', { shape: [3, 4], values: new Float32Array(12).fill(0.25) }],
    ['fc.bias', { shape: [3], values: new Float32Array(3) }],
    ['empty', { shape: [0, 7], values: new Float32Array(0) }],
  ]);
  writeSafetensors(file, tensors, { format: 'pt' });
  return { name: 'safetensors', originals: [readFileSync(file)], read: (path) => readSafetensors(path) };
}

const lines = [
  { network: 'none', stream: 'updates', number: 1, loss: 0.5, epochLoss: 'NaN', wall: { seconds: 0.1 } },
  { network: 'none', stream: 'attacks', index: 3, original: { float32: 'AACAPwAAgD8=' }, lower: { l2: 0.1 } },
];

export const metricLog: Target = {
  name: 'metric log',
  originals: [Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))],
  read(file) {
    let fields = 0;
    for (const record of readMetrics(file)) {
      for (const _ of flattened(record)) fields++;
      floatsOf(record.original as Parameters<typeof floatsOf>[0]);
    }
    return fields;
  },
};

const started = {
  ...{
    format: 1,
    weir: '0.1.0',
    module: 'pipelines/mnist.ts',
    pipeline: 'mnist',
    seed: 0,
    createdAt: '2026-01-01T00:00:00Z',
  },
  config: { epochs: 3, regularizers: ['none'], data: 'embedded' },
  networks: [
    { name: 'none', epochs: 3 },
    { name: 'rep-spectral', branch: { of: 'none', epoch: 1 } },
  ],
};

export const runConfig: Target = {
  name: 'run config',
  originals: [Buffer.from(JSON.stringify(started)), Buffer.from('{"message":"full","at":"now"}')],
  read(file, bytes) {
    const folder = dirname(file);
    for (const name of ['config.json', 'failure.json']) writeFileSync(join(folder, name), bytes);
    const run = RunFolder.open(folder);
    return `${run.shown}${run.started.pipeline}${run.failure?.message}${basename(file)}`;
  },
};

const words = [
  'epochs',
  'gamma',
  'regularizers',
  'data',
  'profile',
  'quick',
  'paper',
  'none',
  'rep-spectral',
  'true',
  'null',
];
const signs = [
  '=',
  '=',
  ',',
  '-',
  '1',
  '0.5',
  '1e999',
  '-0',
  '"',
  '[',
  ']',
  '{',
  '}',
  '__proto__',
  'constructor',
  '\0',
  'γ',
  '\ud800',
  ' ',
];

/** Settings as a user might type them, a line each. */
export const settings: Target = {
  name: 'config',
  originals: [],
  make(random) {
    const line = (): string => {
      if (random(50) === 0) return `epochs=${'['.repeat(random(20_000))}`;
      if (random(2) === 0) return `${oneOf(random, words)}=${oneOf(random, [...words, ...signs])}`;
      if (random(50) === 0) return `${'x'.repeat(random(20_000))}=1`;
      return Array.from({ length: 1 + random(8) }, () => oneOf(random, random(2) ? words : signs)).join('');
    };
    return Buffer.from(Array.from({ length: 1 + random(3) }, line).join('\n'));
  },
  read: (_, bytes) => resolveConfig(mnist.config, mnist.profiles, Buffer.from(bytes).toString().split('\n')),
};

import type { NewestValue } from '../../src/monitor/curves.js';
import type { Readings, SampledField } from '../../src/monitor/exposition.js';
import type { FieldDescription, Role } from '../../src/storage/record.js';

function logged(role: Role, stream: string, field: string, value: number): NewestValue {
  return { network: 'none', role, stream, field, part: '', about: { type: 'number', label: field }, value };
}

function sampled(about: FieldDescription, field: string, values: SampledField['values']): SampledField {
  return { network: 'none', stream: 'fgsm', field, about, values };
}

/** A run whose names hold what a text format must escape. */
export const readings: Readings = {
  run: 'a "run" of\nC:\\weir',
  ...{ pipeline: 'mnist', seed: 7, state: 'running', viewers: 3 },
  at: { network: 'none', update: 480, epoch: 8 },
  newest: [
    logged('training', 'updates', 'loss', 0.25),
    logged('training', 'updates', 'epochLoss', Number.NaN),
    logged('test', 'tests', 'accuracy', 0.9),
    logged('training', 'updates', 'rate', 1e-7),
    { ...logged('spectrum', 'sigmas', 'sigma.hidden1', Number.POSITIVE_INFINITY), part: 'hidden1' },
  ],
  sampled: [
    sampled({ type: 'number', label: 'distance', unit: 'input units' }, 'distance', [3, 1, Number.NaN, 2]),
    sampled({ type: 'text', label: 'outcome' }, 'outcome', ['found', 'failed', 'found', 'found']),
  ],
  pulse: {
    stages: [
      { name: 'augment', kind: 'workers', rate: 100, busy: null, items: 4000 },
      { name: 'train', kind: 'serial', rate: 10, busy: 0.75, items: 480 },
    ],
    edges: [
      { from: 'augment', to: 'train', queue: 12, limit: 64 },
      { from: 'train', to: 'updates$', queue: null, limit: null },
    ],
    bottleneck: null,
    samples: 1280,
    ranks: [0.25, 0.01],
    network: { name: 'none', index: 1, of: 2 },
    memory: { resident: 5e8, heap: 1e8, arrays: 1e7 },
    tensors: { count: 12, bytes: 4096 },
    taps: { open: 1, dropped: 99 },
    loopDelay: 0.08,
  },
  snapshots: [{ network: 'none', written: 19, at: 1_767_225_600.25 }],
};

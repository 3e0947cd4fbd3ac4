import type { Readings } from '../../src/monitor/exposition.js';

/** A run whose names hold what a text format must escape. */
export const readings: Readings = {
  run: 'a "run" of\nC:\\weir',
  ...{ pipeline: 'mnist', seed: 7, state: 'running', viewers: 3 },
  at: { network: 'none', update: 480, epoch: 8 },
  newest: [
    { network: 'none', stream: 'updates', field: 'loss', value: 0.25 },
    { network: 'none', stream: 'updates', field: 'epochLoss', value: Number.NaN },
    { network: 'none', stream: 'tests', field: 'accuracy', value: 0.9 },
    { network: 'none', stream: 'updates', field: 'rate', value: 1e-7 },
    { network: 'none', stream: 'sigmas', field: 'sigma.hidden1', value: Number.POSITIVE_INFINITY },
    { network: 'none', stream: 'tracks', field: 'theta', value: 1 }, // is none of what a scraper is given
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

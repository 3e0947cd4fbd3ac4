import { expect, test } from 'vitest';
import { Flow } from '../../src/flow/flow.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';
import { needsSnapshot } from '../../src/run/network-snapshots.js';
import { Requests } from '../../src/run/watch.js';

/** A graph without a training step: it is at a barrier whenever the event loop has come round. */
function counting(requests: Requests) {
  const seen = { items: 0, snapshots: 0 };
  const holds = (flow: Flow): boolean => {
    const { snapshot, hold } = requests.votes(flow);
    if (snapshot) seen.snapshots++;
    return hold;
  };
  const from = function* (): Generator<{ position: number }> {
    for (let position = 1; position <= 100_000; position++) yield { position };
  };
  const count = stage<{ position: number }, never, null>({
    name: 'count',
    start: () => null,
    next(none) {
      seen.items++;
      return [none];
    },
  });
  const flow = new Flow({ out$: source({ name: 'loader', from }).pipe(count) }, (at) => {
    if (holds(at) && !at.barrier.held) return requests.hold(at, () => holds(at));
  });
  requests.attach(flow);
  return { flow, seen };
}

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('a flow that is held hands out nothing, writes a snapshot when asked, and goes on to its end', async () => {
  const requests = new Requests();
  const { flow, seen } = counting(requests);
  const done = flow.start();
  await later(2);
  requests.pause();
  while (!flow.barrier.held) await later(1);
  await later(5);
  const { items } = seen;
  await later(30);
  expect(seen).toEqual({ items, snapshots: 0 });
  requests.snapshot();
  await later(5);
  expect(seen).toEqual({ items, snapshots: 1 });
  requests.resume();
  expect(await done).toBe('done');
  expect(seen.items).toBe(100_000);
});

test('a flow that is held can be stopped', async () => {
  const requests = new Requests();
  const { flow, seen } = counting(requests);
  const done = flow.start();
  requests.pause();
  while (!flow.barrier.held) await later(1);
  requests.stop();
  expect(await done).toBe('stopped');
  expect(seen.items).toBeLessThan(100_000);
});

const saved = { at: 1000, update: 40, epoch: 2 };

test.each([
  [{ snapshotEvery: 5 }, { at: 6000, update: 999, epoch: 9 }, false],
  [{ snapshotEvery: 5 }, { at: 6001, update: 40, epoch: 2 }, true],
  [{ snapshotEvery: 99, snapshotUpdates: 10 }, { at: 1001, update: 49, epoch: undefined }, false],
  [{ snapshotEvery: 99, snapshotUpdates: 10 }, { at: 1001, update: 50, epoch: undefined }, true],
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 40, epoch: 2 }, false], // the epoch that was saved
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 60, epoch: 3 }, false],
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 79, epoch: undefined }, false], // within the fourth epoch
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 80, epoch: 4 }, true],
  [{ snapshotEvery: 99, snapshotEpochs: 2 }, { at: 1001, update: 0, epoch: 0 }, false], // before training
])('%j at %j: %j', (cadence, now, needed) => {
  expect(needsSnapshot(cadence, saved, now)).toBe(needed);
});

import { expect, test } from 'vitest';
import { Graph } from '../../src/flow/graph.js';
import { Node } from '../../src/flow/node.js';
import { StateHistory } from '../../src/flow/state.js';
import { NetworkSnapshots } from '../../src/run/network-snapshots.js';
import { SimulatedClock } from '../../src/simulation/clock.js';
import { SimulatedDisk } from '../../src/simulation/disk.js';
import { type GraphPlan, planned, type SchedulePlan, type TrialPlan } from '../../src/simulation/plan.js';
import { shrunk } from '../../src/simulation/shrink.js';
import { trial } from '../../src/simulation/trial.js';

const plain: GraphPlan = {
  ...{ items: 10, samples: 1, capacity: 30, before: [], accumulate: 1, epoch: 3 },
  branches: { updates$: [] },
};
const calm: SchedulePlan = {
  ...{ seed: 1, sessions: [], snapshotUpdates: 10, short: 0 },
  weather: { drift: 0.01, stalls: 0, stall: 0 },
};

test('random graphs come out the same under kills, stops, full disks and failures of power', async () => {
  for (let seed = 0; seed < 60; seed++) expect({ seed, ...(await trial(planned(seed))) }).toMatchObject({ faults: [] });
});

test('a seed is the whole of its trial: twice it takes the same calls', async () => {
  const [one, other] = [await trial(planned(7)), await trial(planned(7))];
  expect(one.counts.calls).toBeGreaterThan(100);
  expect(other).toEqual(one);
});

/** Faults that simulation found in the engine, each as small as it was made, and the mend taken back. */
const found: readonly (readonly [name: string, plan: TrialPlan, takeBack: () => () => void])[] = [
  [
    'a snapshot between two items of one position forgets the second',
    {
      graph: { ...plain, items: 6, before: [{ kind: 'several', count: 3 }] },
      schedule: { ...calm, sessions: [[{ at: 30, by: 'disk', what: 'kill' }]], snapshotUpdates: 14 },
    },
    () => {
      const before = Object.getOwnPropertyDescriptor(Graph.prototype, 'settled')!;
      const get = function (this: Graph) {
        return this.serial?.left ?? 0;
      };
      Object.defineProperty(Graph.prototype, 'settled', { configurable: true, get });
      return () => Object.defineProperty(Graph.prototype, 'settled', before);
    },
  ],
  [
    'a stage that was through with an update does not make its outputs again for those that were not',
    {
      graph: {
        ...plain,
        items: 1,
        branches: {
          branch1$: [
            { kind: 'claim', count: 4, state: 'moves' },
            { kind: 'claim', count: 5, state: 'moves' },
          ],
        },
      },
      schedule: { ...calm, sessions: [[{ at: 1, by: 'loop', what: 'stop' }]] },
    },
    () => {
      const { remember } = StateHistory.prototype;
      StateHistory.prototype.remember = () => undefined;
      return () => {
        StateHistory.prototype.remember = remember;
      };
    },
  ],
  [
    'of two updates of one position the second counts as worked on, since the first was',
    {
      graph: {
        ...plain,
        ...{ items: 14, capacity: 32, before: [{ kind: 'several', count: 2 }] },
        branches: { branch3$: [{ kind: 'claim', count: 4, state: 'none' }] },
      },
      schedule: { ...calm, seed: 57, sessions: [[{ at: 41, by: 'disk', what: 'EIO' }]], snapshotUpdates: 13 },
    },
    () => {
      const { done } = Node.prototype;
      Node.prototype.done = function (position) {
        done.call(this, position);
      };
      return () => {
        Node.prototype.done = done;
      };
    },
  ],
  [
    'a record that is logged late sets the count of updates back',
    {
      graph: {
        ...plain,
        ...{ items: 99, epoch: 12 },
        branches: { updates$: [], branch1$: [{ kind: 'rx-mergeMap', slow: 0.1 }, { kind: 'every-epoch' }] },
      },
      schedule: { ...calm, seed: 23, snapshotUpdates: 9 },
    },
    () => {
      const { noteTrained, noteLogged } = NetworkSnapshots.prototype;
      NetworkSnapshots.prototype.noteTrained = () => undefined;
      NetworkSnapshots.prototype.noteLogged = function (record) {
        this.followsTraining = false;
        noteLogged.call(this, record);
      };
      return () => Object.assign(NetworkSnapshots.prototype, { noteTrained, noteLogged });
    },
  ],
];

test.each(found)('%s: mended, and found where the mend is taken back', async (_, plan, takeBack) => {
  expect((await trial(plan)).faults).toEqual([]);
  const mend = takeBack();
  try {
    expect((await trial(plan)).faults).not.toEqual([]);
  } finally {
    mend();
  }
});

test('samples that a filter dropped are not handed back twice where streams are merged', async () => {
  const before = [
    { kind: 'filter', every: 4 },
    { kind: 'workers', limit: 9, slow: 40 },
    { kind: 'fork', branches: 2 },
  ] as const;
  expect((await trial({ graph: { ...plain, items: 200, capacity: 8, before }, schedule: calm })).faults).toEqual([]);
});

test('what a stage gives at the end is not trained on again after a resume', async () => {
  const graph: GraphPlan = { ...plain, items: 199, capacity: 77, before: [{ kind: 'batch', size: 6 }], accumulate: 3 };
  const schedule = {
    ...calm,
    seed: 13777,
    sessions: [[{ at: 157, by: 'disk', what: 'full' }]],
    snapshotUpdates: 1,
  } as const;
  expect((await trial({ graph, schedule })).faults).toEqual([]);
});

test('an error of the disk names the file, at whichever call it comes', async () => {
  for (let at = 1; at <= 60; at++) {
    const sessions = [[{ at: 40, by: 'disk', what: 'kill' }], [{ at, by: 'disk', what: 'EIO' }]] as const;
    const { faults } = await trial({ graph: plain, schedule: { ...calm, sessions, snapshotUpdates: 2 } });
    expect({ at, faults }).toEqual({ at, faults: [] });
  }
});

test('a failing trial is made as small as it goes', async () => {
  const [, , takeBack] = found[0]!;
  const mend = takeBack();
  try {
    const { plan, faults } = await shrunk(planned(8));
    expect(faults).not.toEqual([]);
    expect(plan.graph.before).toEqual([{ kind: 'several', count: 3 }]);
    expect(plan.graph.items).toBeLessThan(20);
    expect(plan.schedule.sessions).toHaveLength(1);
  } finally {
    mend();
  }
});

test('a clock makes calls in the order in which Node.js would, and is idle when nothing is left', async () => {
  const clock = new SimulatedClock(1);
  const said: string[] = [];
  clock.after(20, () => said.push('late'));
  clock.after(10, () => said.push('early'));
  clock.after(15, () => said.push('never'))();
  clock.soon(() => said.push('first'));
  clock.soon(() => said.push('second'));
  clock.whenIdle(() => said.push('idle'));
  expect(await clock.run(() => false)).toBe(false);
  expect(said).toEqual(['first', 'second', 'early', 'late', 'idle']);
  expect(clock.now()).toBeGreaterThanOrEqual(20);
  clock.stayAlive();
  expect(await clock.run(() => false)).toBe(true); // somebody outside may still ask
});

test('a disk that loses its power keeps what was synced, in files and folders', () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = new SimulatedDisk(seed);
    disk.makeFolder('/a');
    const write = (path: string, text: string, sync: boolean): void => {
      const file = disk.append(path);
      disk.write(file, Buffer.from(text));
      if (sync) disk.sync(file);
      disk.close(file);
    };
    write('/a/x', 'kept', true);
    disk.syncFolder('/a');
    write('/a/x', ' lost', false);
    write('/a/y', 'new', true);
    disk.rename('/a/y', '/a/z');
    disk.losePower();
    expect(Buffer.from(disk.read('/a/x')).toString()).toMatch(/^kept( (l(o(st?)?)?)?)?$/);
    expect(disk.list('/a').filter((name) => name !== 'x').length).toBeLessThanOrEqual(1); // y or z, never both
  }
});

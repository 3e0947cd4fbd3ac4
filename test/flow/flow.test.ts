import { concat, concatMap, delay, filter, map, mergeMap, of, share, take, timer } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { augment } from '../../src/data/augment/augment.js';
import { batch } from '../../src/data/batch.js';
import { sharedBytes, sharedFloats } from '../../src/data/dataset.js';
import { type Block, loader } from '../../src/data/loader.js';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { filter as keepOnly } from '../../src/flow/operators.js';
import { atEnd, every } from '../../src/flow/schedule.js';
import { serial } from '../../src/flow/serial.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';
import type { FlowState } from '../../src/flow/state.js';

interface Sample extends Positioned {
  readonly value: number;
}

const count = (name: string, size: number, capacity?: number, seen?: (value: number) => void) =>
  source<Sample>({
    name,
    capacity,
    *from(after) {
      for (let i = after + 1; i <= size; i++) {
        seen?.(i);
        yield { position: i, value: i };
      }
    },
  });

/** Sums up what it is given: weights that move with every update. */
const sum = (name = 'train') =>
  serial<
    Sample,
    { position: number; number: number; epoch: number; endsEpoch: boolean; total: number },
    { total: number; number: number; position: number }
  >({
    name,
    start: () => ({ total: 0, number: 0, position: 0 }),
    next({ total, number }, { value, position }) {
      const state = { total: total + value, number: number + 1, position };
      return [state, this.repeat(state)];
    },
    repeat: (state) => ({ ...state, epoch: Math.floor(state.number / 10), endsEpoch: state.number % 10 === 0 }),
  });

test('a source never has more samples outside than its capacity, however slow the end is', async () => {
  let drawn = 0;
  let done = 0;
  let most = 0;
  const slow$ = count('count', 200, 8, () => {
    drawn++;
    most = Math.max(most, drawn - done);
  }).pipe(
    concatMap((item) => timer(0).pipe(map(() => item))),
    map((item) => {
      done++;
      return item;
    }),
  );
  await new Flow({ slow$ }).start();
  expect(done).toBe(200);
  expect(most).toBeLessThanOrEqual(10); // one is looked up ahead, one is being handed on
});

test('a filter of ours that drops long runs of samples leaks no credits, and one of RxJS none where it drops short ones', async () => {
  const got: number[] = [];
  const few$ = count('count', 100_000, 16).pipe(
    filter(({ value }) => value % 8 === 0 || value === 1),
    keepOnly(({ value }) => value % 10_000 === 0 || value === 1),
    map((item) => {
      got.push(item.value);
      return item;
    }),
  );
  await new Flow({ few$ }).start();
  expect(got).toEqual([1, ...Array.from({ length: 10 }, (_, i) => 10_000 * (i + 1))]);
});

test('a graph whose source may not fill a batch is refused when it is built', () => {
  const hungry = stage<Sample, Sample, null>({
    name: 'batch of 32',
    needs: 32,
    start: () => null,
    next: (s, item) => [s, item],
  });
  expect(() => new Flow({ out$: count('count', 100, 16).pipe(hungry) })).toThrow(
    "source 'count' may have 16 samples outside, but 'batch of 32' waits for 32",
  );
});

test('two nodes of one name and two training steps are refused', () => {
  expect(() => new Flow({ a$: count('x', 1), b$: count('x', 1) })).toThrow("called 'x'");
  expect(() => new Flow({ a$: count('x', 1).pipe(sum('one')), b$: count('y', 1).pipe(sum('two')) })).toThrow(
    'in 2 places',
  );
});

test('an error anywhere ends the flow and stops the source', async () => {
  let drawn = 0;
  const out$ = count('count', 1_000_000, 10, () => drawn++).pipe(
    map((item) => {
      if (item.value === 5) throw new Error('five');
      return item;
    }),
  );
  await expect(new Flow({ out$ }).start()).rejects.toThrow('five');
  expect(drawn).toBeLessThan(10);
});

test('the next update waits for those who claimed this one, and works on it in the order of the claims', async () => {
  const log: string[] = [];
  const slices = (name: string) =>
    stage<{ position: number; number: number }, never, null>({
      name,
      claims: 'weights',
      start: () => null,
      *next(state, { number }) {
        log.push(`${name} ${number}a`);
        yield [state];
        log.push(`${name} ${number}b`);
        yield [state];
      },
    });
  const updates$ = count('count', 3).pipe(sum());
  await new Flow({
    first$: updates$.pipe(every({ updates: 2 }), slices('first')),
    second$: updates$.pipe(slices('second')),
  }).start();
  expect(log).toEqual(
    [0, 1, 2, 3].flatMap((n) => [
      ...(n % 2 === 0 ? [`first ${n}a`, `first ${n}b`] : []),
      `second ${n}a`,
      `second ${n}b`,
    ]),
  );
});

test('atEnd is told of the end while the weights stand, even behind a delay upstream', async () => {
  const got: number[] = [];
  const updates$ = count('count', 25).pipe(delay(2), sum());
  const last$ = updates$.pipe(
    atEnd(),
    stage<{ position: number; number: number }, never, null>({
      name: 'attack',
      claims: 'weights',
      start: () => null,
      next(state, { number }) {
        got.push(number);
        return [state];
      },
    }),
  );
  await new Flow({ last$ }).start();
  expect(got).toEqual([25]);
});

test('a claim that comes after the weights moved on is an error that says so', async () => {
  const late$ = count('count', 10).pipe(
    sum(),
    concatMap((update) => timer(20).pipe(map(() => update))),
    stage<{ position: number }, never, null>({ name: 'late', claims: 'weights', start: () => null, next: (s) => [s] }),
  );
  await expect(new Flow({ late$ }).start()).rejects.toThrow(
    "stage 'late' claims the weights as they were after sample",
  );
});

test('stopped at any barrier and started again, a graph ends where it would have ended', async () => {
  const wire = (log: string[]) => {
    const updates$ = count('count', 30, 8).pipe(
      stage<Sample, Sample, number>({
        name: 'running maximum',
        start: () => 0,
        next: (most, item) => [Math.max(most, item.value % 7), { ...item, value: item.value + most }],
      }),
      sum(),
    );
    const attack = stage<
      { position: number; number: number; total: number },
      { position: number; text: string },
      { next: number }
    >({
      name: 'attack',
      claims: 'weights',
      start: () => ({ next: 0 }),
      *next(state, { total, position }) {
        for (let i = state.next; i < 4; i++) yield [{ next: i + 1 }, { position, text: `${i}:${total}` }];
        yield [{ next: 0 }];
      },
    });
    const write = stage<{ position: number; text: string }, never, number>({
      name: 'log',
      start: () => 0,
      next(lines, { text }) {
        log.length = lines;
        log.push(text);
        return [lines + 1];
      },
    });
    return { attacks$: updates$.pipe(every({ epochs: 1 }), attack, write) };
  };
  const whole: string[] = [];
  await new Flow(wire(whole)).start();
  expect(whole).toHaveLength(16);

  for (let stopAt = 1; stopAt < 60; stopAt++) {
    const log: string[] = [];
    let saved: FlowState | undefined;
    for (let part = 0; ; part++) {
      let rests = 0;
      const flow: Flow = new Flow(wire(log), (at) => {
        if (part < 3 && ++rests === stopAt) {
          saved = structuredClone(at.save());
          at.stop();
        }
      });
      if (saved !== undefined) flow.load(saved);
      if ((await flow.start()) === 'done') break;
    }
    expect(log).toEqual(whole);
  }
});

test('where several items make an output, a stop between them goes on behind the last output, and what is left makes one too', async () => {
  /** Sums of three items each; what came since the last one is not saved. */
  const wire = (totals: number[]) => ({
    out$: count('count', 11, 4).pipe(
      serial<Sample, Sample & { number: number }, { number: number; position: number; value: number; since: Sample[] }>(
        {
          name: 'train',
          start: () => ({ number: 0, position: 0, value: 0, since: [] }),
          next(state, item) {
            const since = [...state.since, item];
            return since.length < 3 ? [{ ...state, since }] : this.flush!({ ...state, since })!;
          },
          flush({ number, value, since }) {
            if (since.length === 0) return undefined;
            const total = since.reduce((sum, item) => sum + item.value, value);
            const state = { number: number + 1, position: since.at(-1)!.position, value: total, since: [] };
            return [state, this.repeat(state)];
          },
          repeat: ({ number, position, value }) => ({ number, position, value }),
          save: (state) => ({ ...state, since: [] }),
        },
      ),
      map((sum) => {
        totals[sum.number] = sum.value;
        return sum;
      }),
    ),
  });
  for (let stopAt = 1; stopAt < 20; stopAt++) {
    const totals: number[] = [];
    let rests = 0;
    const first: Flow = new Flow(wire(totals), (at) => void (++rests === stopAt && at.stop()));
    if ((await first.start()) === 'stopped') {
      const second = new Flow(wire(totals));
      second.load(structuredClone(first.save()));
      await second.start();
    }
    expect(totals, `stopped at barrier ${stopAt}`).toEqual([0, 6, 21, 45, 66]);
  }
});

test('items that make no output yet hand back their credits: an output may take more samples than a source has outside', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] }); // nothing is written off as dropped
  try {
    const got: number[] = [];
    const threes = serial<Sample, Sample, Sample & { readonly since: number }>({
      name: 'train',
      start: () => ({ position: 0, value: 0, since: 0 }),
      next(state, { position, value }) {
        const next = { position, value: state.value + value, since: (state.since + 1) % 3 };
        return next.since === 0 ? [next, this.repeat(next)] : [next];
      },
      repeat: ({ position, value }) => ({ position, value }),
    });
    const out$ = count('count', 9, 2).pipe(
      threes,
      map((sum) => {
        got.push(sum.value);
        return sum;
      }),
    );
    expect(await new Flow({ out$ }).start()).toBe('done');
    expect(got).toEqual([0, 6, 21, 45]);
  } finally {
    vi.useRealTimers();
  }
});

test('a snapshot of another graph is refused by name', () => {
  const flow = new Flow({ out$: count('count', 3).pipe(sum()) });
  const other = new Flow({ out$: count('count', 3).pipe(sum('training')) });
  expect(() => other.load(flow.save())).toThrow("it has 'train' that this one lacks, and lacks 'training'");
});

test('an observable of the user may stand anywhere', async () => {
  const got: number[] = [];
  const out$ = of({ position: 1, value: 1 }, { position: 2, value: 2 }).pipe(
    sum(),
    map(({ total }) => {
      got.push(total);
      return { position: 0 };
    }),
  );
  await new Flow({ out$ }).start();
  expect(got).toEqual([0, 1, 3]);
});

test('share() before the training step is refused: its other branch would take no part in demand and snapshots', () => {
  const shared$ = count('count', 10).pipe(share());
  expect(() => new Flow({ batches$: shared$, updates$: shared$.pipe(sum()) })).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('fork it with fanOut') }),
  );
});

test('items out of order, without a position, or not one at all are errors that say so', async () => {
  const shuffled$ = count('count', 20).pipe(
    mergeMap((item) => timer(10 * (3 - (item.value % 3))).pipe(map(() => item))),
    sum(),
  );
  await expect(new Flow({ shuffled$ }).start()).rejects.toThrow(/was handed position \d+ after position/);
  const bare$ = count('count', 3).pipe(
    map(({ value }) => ({ value }) as never),
    stage<Sample, Sample, null>({ name: 'needs position', start: () => null, next: (s, item) => [s, item] }),
  );
  await expect(new Flow({ bare$ }).start()).rejects.toThrow("'needs position' was handed an item without a position");
  const none$ = count('count', 3).pipe(
    filter(() => false),
    sum(),
  );
  await expect(new Flow({ none$ }).start()).rejects.toThrow("not one item came to stage 'train'");
  expect(() => new Flow({})).toThrow('has no streams');
});

test('a stop is heard while training waits for data', async () => {
  const hungry = stage<Sample, Sample, number>({
    name: 'waits',
    needs: 50,
    holds: (held) => held,
    start: () => 0,
    next: (held, item) => (held === 49 ? [0, item] : [held + 1]),
  });
  const slow$ = count('count', 1000, 50).pipe(
    concatMap((item) => timer(3).pipe(map(() => item))),
    hungry,
    sum(),
  );
  let snapshots = 0;
  const flow: Flow = new Flow({ slow$ }, () => void snapshots++);
  setTimeout(() => flow.stop(), 40);
  expect(await flow.start()).toBe('stopped');
  expect(snapshots).toBeGreaterThan(0);
});

test('a listener that takes a few updates and leaves has its claimed work done, and the flow ends', async () => {
  let worked = 0;
  const few$ = count('count', 100).pipe(
    sum(),
    take(3),
    stage<{ position: number }, never, null>({
      name: 'work',
      claims: 'weights',
      start: () => null,
      next(state) {
        worked++;
        return [state];
      },
    }),
  );
  expect(await new Flow({ few$ }).start()).toBe('done');
  expect(worked).toBe(3);
});

test('atEnd behind an operator that hides the last update is an error, not a silence', async () => {
  const hidden$ = count('count', 15).pipe(sum(), every({ epochs: 1 }), atEnd());
  await expect(new Flow({ hidden$ }).start()).rejects.toThrow("stage 'atEnd' claims the weights");
});

test('a part that joins after the start, as concat makes it, is refused by name', async () => {
  const out$ = concat(count('first', 2), count('second', 2));
  await expect(new Flow({ out$ }).start()).rejects.toThrow("'second' joins the graph after it has started");
});

test('a state upstream of batches is restored exactly though blocks and batches do not meet', async () => {
  const wire = (totals: number[]) => {
    const counter = stage<Block, Block, number>({
      name: 'blocks',
      start: () => 0,
      next: (seen, block) => [seen + block.indices.length, { ...block, epoch: seen }],
    });
    const values = sharedFloats(90);
    const labels = sharedBytes(90);
    const data = { name: 'numbers', size: 90, sampleShape: [1], classes: ['a'], values, labels };
    return {
      out$: loader(data, { epochs: 4, seed: 1, block: 16, capacity: 64 }).pipe(
        counter,
        augment([], { seed: 1 }),
        batch(25),
        map(({ position, indices, epoch }) => ({ position, value: indices.reduce((a, b) => a + b, 0) + 1000 * epoch })),
        sum(),
        map((update) => {
          totals[update.number] = update.total;
          return update;
        }),
      ),
    };
  };
  const whole: number[] = [];
  await new Flow(wire(whole)).start();
  for (let stopAt = 2; stopAt < 16; stopAt++) {
    const totals: number[] = [];
    let rests = 0;
    const first: Flow = new Flow(wire(totals), (at) => void (++rests === stopAt && at.stop()));
    await first.start();
    const second = new Flow(wire(totals));
    second.load(structuredClone(first.save()));
    await second.start();
    expect(totals).toEqual(whole);
  }
});

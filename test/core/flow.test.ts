import { concatMap, delay, filter, map, of, timer } from 'rxjs';
import { expect, test } from 'vitest';
import { Flow, type FlowState } from '../../src/core/flow.js';
import type { Positioned } from '../../src/core/item.js';
import { serial } from '../../src/core/serial.js';
import { source } from '../../src/core/source.js';
import { stage } from '../../src/core/stage.js';
import { atEnd, every } from '../../src/core/tick.js';

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

test('an operator that drops long runs of samples leaks no credits', async () => {
  const got: number[] = [];
  const few$ = count('count', 100_000, 16).pipe(
    filter(({ value }) => value % 10_000 === 0 || value === 1),
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

test('stopped at any rest and started again, a graph ends where it would have ended', async () => {
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

import {
  auditTime,
  concatMap,
  debounceTime,
  delay,
  filter,
  type MonoTypeOperatorFunction,
  map,
  NEVER,
  sampleTime,
  tap,
  throttleTime,
  timer,
} from 'rxjs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { filter as keepOnly } from '../../src/flow/operators.js';
import { ordered } from '../../src/flow/ordered.js';
import { serial } from '../../src/flow/serial.js';
import { source } from '../../src/flow/source.js';

const capacity = 16;
const minute = 60_000;

const train = serial<Positioned, Positioned, number>({
  name: 'train',
  start: () => 0,
  next: (_, { position }) => [position, { position }],
  repeat: (position) => ({ position }),
});

/** A graph with an operator between source and training: what it has inside at most, where training is, and what is told. */
function graph(operator: MonoTypeOperatorFunction<Positioned>, items = 100_000) {
  const seen = { outside: 0, most: 0, trained: 0, notices: [] as string[] };
  const updates$ = source({
    name: 'count',
    capacity,
    *from(after) {
      for (let position = after + 1; position <= items; position++) yield { position };
    },
  }).pipe(
    tap(({ position }) => {
      seen.outside = position - seen.trained;
      seen.most = Math.max(seen.most, seen.outside);
    }),
    operator,
    tap(({ position }) => {
      seen.trained = position;
    }),
    train,
  );
  const flow = new Flow({ updates$ }, undefined, (line) => seen.notices.push(line));
  return { flow, seen };
}

/** Lets virtual time pass, and what it brings about take place. */
async function pass(milliseconds: number): Promise<void> {
  for (let at = 0; at < milliseconds; at += 50) {
    await vi.advanceTimersByTimeAsync(50);
    await new Promise(setImmediate);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const stuckAfter = (last: number): MonoTypeOperatorFunction<Positioned> =>
  concatMap((item) => (item.position > last ? NEVER : timer(0).pipe(map(() => item))));

test.each([
  ['stuck after a while', stuckAfter(40), 'mergeMap or concatMap'],
  ['stuck from the start', stuckAfter(0), 'mergeMap or concatMap'],
  ['dropping everything', filter<Positioned>(() => false), 'filter'],
  ['dropping everything after a while', filter<Positioned>(({ position }) => position < 100), 'filter'],
])(
  'behind an operator of RxJS that is %s no more than twice the capacity goes out, and the flow tells once what it waits for',
  async (_, operator, name) => {
    const { flow, seen } = graph(operator);
    const ended = flow.start();
    await pass(minute);
    expect(seen.most).toBeLessThanOrEqual(2 * capacity + 1); // the one that is being handed on
    expect(seen.notices).toEqual([
      expect.stringContaining(`on the way 'count' → tap → ${name} → tap → 'train' and have not arrived`),
    ]);
    expect(seen.notices[0]).toContain('weir.filter');
    flow.stop();
    expect(await ended).toBe('stopped');
  },
);

test('a slow operator has no more than twice the capacity inside however long it takes, and nothing is told or lost', async () => {
  const slow = concatMap((item: Positioned) => timer(1300).pipe(map(() => item)));
  const { flow, seen } = graph(slow, 100);
  const ended = flow.start();
  await pass(140_000);
  expect(await ended).toBe('done');
  expect(seen.trained).toBe(100);
  expect(seen.most).toBeLessThanOrEqual(2 * capacity);
  expect(seen.notices).toEqual([]);
});

test('a filter of ours drops without limit and without the clock', async () => {
  const { flow, seen } = graph(keepOnly(({ position }) => position % 30_000 === 0));
  expect(await flow.start()).toBe('done');
  expect(seen.trained).toBe(90_000);
  const { flow: none } = graph(keepOnly(() => false));
  await expect(none.start()).rejects.toThrow("not one item came to stage 'train'");
});

test.each([
  ['debounceTime', debounceTime<Positioned>(100)],
  ['sampleTime', sampleTime<Positioned>(100)],
  ['auditTime', auditTime<Positioned>(100)],
  ['throttleTime', throttleTime<Positioned>(100)],
])('%s, which drops what comes too fast, goes on to the end', async (_, operator) => {
  const { flow, seen } = graph(operator, 200);
  const ended = flow.start();
  await pass(minute);
  expect(await ended).toBe('done');
  expect(seen.trained).toBeGreaterThan(200 - 3 * capacity);
  expect(seen.notices).toEqual([]);
});

test('what an operator kept and lets go all at once waits before workers, which never have more than their limit', async () => {
  let inside = 0;
  let most = 0;
  const work = (item: Positioned) => {
    most = Math.max(most, ++inside);
    return timer(700).pipe(
      map(() => {
        inside--;
        return item;
      }),
    );
  };
  const { flow, seen } = graph((items$) => items$.pipe(delay(8000), ordered('work', 4, work)), 60);
  const ended = flow.start();
  await pass(5 * minute);
  expect(await ended).toBe('done');
  expect(most).toBe(4);
  expect(seen.trained).toBe(60);
  expect(seen.most).toBeLessThanOrEqual(2 * capacity);
});

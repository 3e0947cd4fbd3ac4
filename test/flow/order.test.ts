import {
  concatMap,
  delay,
  map,
  merge,
  mergeMap,
  Observable,
  type OperatorFunction,
  of,
  scan,
  take,
  tap,
  timer,
} from 'rxjs';
import { expect, test } from 'vitest';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { fanOut, mergeInTurn } from '../../src/flow/fork-and-join.js';
import { toMermaid, toText } from '../../src/flow/graph.js';
import { filter, named } from '../../src/flow/operators.js';
import { ordered } from '../../src/flow/ordered.js';
import { serial } from '../../src/flow/serial.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';
import { marbles } from '../marbles.js';

const count = (name = 'count') =>
  source<Positioned>({
    name,
    *from(after) {
      for (let position = after + 1; position <= 30; position++) yield { position };
    },
  });

/** Counts the items that it is given. */
const train = serial<Positioned, Positioned & { readonly items: number }, { position: number; items: number }>({
  name: 'train',
  start: () => ({ position: 0, items: 0 }),
  next(state, { position }) {
    const next = { position, items: state.items + 1 };
    return [next, next];
  },
  repeat: (state) => state,
});

const same = (name: string) =>
  stage<Positioned, Positioned, null>({ name, start: () => null, next: (state, item) => [state, item] });

async function trained(operator: OperatorFunction<Positioned, Positioned>): Promise<number> {
  let items = 0;
  const updates$ = count().pipe(
    operator,
    train,
    tap((update) => {
      items = update.items;
    }),
  );
  await new Flow({ updates$ }).start();
  return items;
}

const shuffled = mergeMap((item: Positioned) => timer(3 * (3 - (item.position % 3))).pipe(map(() => item)));
const doubled = concatMap((item: Positioned) => of(item, item));

test.each<[string, OperatorFunction<Positioned, Positioned>]>([
  ['stage', same('behind')],
  ['ordered', ordered('behind', 64, (item: Positioned) => of(item))],
  ['filter', filter(() => true, { name: 'behind' })],
  ['fanOut', fanOut('behind')],
  ['train', (items$) => items$.pipe(named('behind', same('other')))],
])('items that come out of order, or twice, are refused by name where they come into a %s', async (_, behind) => {
  const reordered = (items$: ReturnType<typeof count>) => items$.pipe(same('before'), shuffled, behind);
  await expect(trained(reordered)).rejects.toThrow(
    /^stage 'behind' was handed position \d+ after position \d+, on the way 'before' → mergeMap or concatMap → 'behind'$/,
  );
  const twice = (items$: ReturnType<typeof count>) => items$.pipe(same('before'), doubled, behind);
  await expect(trained(twice)).rejects.toThrow(
    "stage 'behind' was handed position 1 twice, on the way 'before' → mergeMap or concatMap → 'behind'",
  );
});

test('the training step and the inputs of a merge refuse them too', async () => {
  await expect(trained(doubled)).rejects.toThrow("stage 'train' was handed position 1 twice");
  await expect(trained(shuffled)).rejects.toThrow(/stage 'train' was handed position \d+ after/);
  const updates$ = mergeInTurn('merge', count('one').pipe(doubled), count('two')).pipe(train);
  await expect(new Flow({ updates$ }).start()).rejects.toThrow("stage 'merge/0' was handed position 1 twice");
});

test('streams that RxJS merges by arrival are refused, and the remedy says how to merge them', async () => {
  const updates$ = merge(count('one'), count('two').pipe(same('other'))).pipe(train);
  await expect(new Flow({ updates$ }).start()).rejects.toMatchObject({
    message: expect.stringMatching(/position 1 .*'one' → .* → 'train' and 'other' → .* → 'train'/),
    remedy: expect.stringContaining('weir.mergeInTurn'),
  });
});

test('what a stage makes of one item may share its position, and so may what stands behind training', async () => {
  const twice = stage<Positioned, Positioned, null>({
    name: 'twice',
    start: () => null,
    *next(state, item) {
      yield [state, item];
      yield [state, item];
    },
  });
  expect(await trained((items$) => items$.pipe(twice, same('behind')))).toBe(60);
  let seen = 0;
  const updates$ = count().pipe(
    train,
    mergeMap((update) => of(update, update, update)),
    same('behind'),
    tap(() => seen++),
  );
  await new Flow({ updates$ }).start();
  expect(seen).toBe(93);
});

test('a stage that makes several of one hides no operator that doubles them', async () => {
  const some = stage<Positioned, Positioned, null>({
    name: 'some twice',
    start: () => null,
    *next(state, item) {
      yield [state, item];
      if (item.position === 5) yield [state, item];
    },
  });
  await expect(trained((items$) => items$.pipe(some, doubled))).rejects.toThrow('was handed position 1 twice');
});

test('fork and join keep working, and their order is checked', async () => {
  const shared$ = count().pipe(fanOut('fork'));
  let items = 0;
  const joined$ = mergeInTurn('join', shared$.pipe(same('left')), shared$.pipe(map((item) => item))).pipe(
    train,
    tap((update) => {
      items = update.items;
    }),
  );
  await new Flow({ joined$ }).start();
  expect(items).toBe(60);
});

test('an operator of RxJS that remembers items on the way to training is named when the graph is wired; others are not', () => {
  const observed = (operator: OperatorFunction<Positioned, Positioned>) =>
    new Flow({
      updates$: count().pipe(
        same('before'),
        map((item) => item),
        operator,
        same('behind'),
        train,
      ),
    }).remarks;
  expect(observed(take(4))).toEqual([
    expect.stringContaining(
      "on the way 'before' → map → take → 'behind', RxJS's take keeps state that no snapshot holds",
    ),
  ]);
  expect(observed(scan((_, item) => item))).toEqual([expect.stringContaining("RxJS's scan keeps state")]);
  expect(observed(tap(() => undefined))).toEqual([]);
  expect(new Flow({ updates$: count().pipe(train, take(4)) }).remarks).toEqual([]);
});

test('behind training the log takes what streams that RxJS merges hand on in any order, another stage does not', async () => {
  const late = (name: string, anyOrder: boolean) => {
    const updates$ = count().pipe(train);
    const out$ = merge(updates$.pipe(delay(5)), updates$).pipe(
      stage<Positioned, Positioned, number>({
        name,
        anyOrder,
        start: () => 0,
        next: (state, item) => [state + 1, item],
      }),
    );
    return new Flow({ out$ }).start();
  };
  expect(await late('log', true)).toBe('done');
  await expect(late('mean', false)).rejects.toThrow(/stage 'mean' was handed position 0 after position/);
});

test('the drawn graph marks what stands on the way to training without a name, the operators of the user too', () => {
  const own = (items$: Observable<Positioned>) => new Observable<Positioned>((out) => items$.subscribe(out));
  const updates$ = count().pipe(same('before'), own, take(4), same('behind'), train, take(3));
  const flow = new Flow({ updates$ });
  expect(toText(flow)).toContain('→ behind (through an operator of order.test.ts, take)');
  expect(toText(flow)).toMatch(/train +serial +→ updates\$$/m);
  expect(toMermaid(flow)).toContain('-->|"an operator of order.test.ts, take"|');
});

test.each([
  ['many', '1-2-3-4|', '--2---4|'],
  ['none that pass', '1-3----|', '-------|'],
  ['an error', '1-2-#', '--2-#'],
  ['nothing', '-------|', '-------|'],
])('filter lets even positions pass: %s', (_, given, wanted) => {
  marbles().run(({ cold, expectObservable, expectSubscriptions }) => {
    const items$ = cold(given).pipe(map((letter) => ({ position: Number(letter) })));
    const even = filter<Positioned>(({ position }) => position % 2 === 0);
    const out$ = items$.pipe(
      even,
      map(({ position }) => String(position)),
    );
    expectObservable(out$).toBe(wanted);
    const source$ = cold<Positioned>('---------');
    expectObservable(source$.pipe(even), '--!').toBe('---');
    expectSubscriptions(source$.subscriptions).toBe('^-!');
  });
});

test('what the question of a filter throws ends the stream', async () => {
  const broken = filter<Positioned>(({ position }) => {
    if (position === 3) throw new Error('three');
    return true;
  });
  await expect(trained(broken)).rejects.toThrow('three');
});

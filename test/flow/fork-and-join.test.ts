import { concatMap, map, timer } from 'rxjs';
import { expect, test } from 'vitest';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { fanOut, mergeInTurn } from '../../src/flow/fork-and-join.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';
import { marbles } from '../marbles.js';

const letters = (text: string) => [...text].map((letter, i) => ({ position: i + 1, letter }));
type Letter = Positioned & { readonly letter: string };

const spell = (name: string, text: string, capacity = 4, drawn?: () => void) =>
  source<Letter>({
    name,
    capacity,
    *from(after) {
      for (const item of letters(text).slice(after)) {
        drawn?.();
        yield item;
      }
    },
  });

test('a merge in turn does not depend on the speeds, and leaves out an input that is over', () => {
  marbles().run(({ cold, expectObservable }) => {
    const positioned = {
      a: letters('a')[0]!,
      b: letters('ab')[1]!,
      c: letters('abc')[2]!,
      x: letters('x')[0]!,
      y: letters('xy')[1]!,
    };
    const slow$ = cold('a--b------c|', positioned);
    const fast$ = cold('----(xy)|', positioned);
    const merged$ = mergeInTurn('merge', slow$, fast$).pipe(map(({ item }) => item.letter));
    expectObservable(merged$).toBe('a---(xby)-c|');
  });
});

test('a merged stream resumes each input where it was', async () => {
  const one = 'abcdefghijklmnopqrst'.repeat(3);
  const wire = (log: string[]) => ({
    out$: mergeInTurn('merge', spell('one', one), spell('two', 'uvwxyz')).pipe(
      concatMap((item) => timer(1).pipe(map(() => item))),
      stage<Positioned & { item: Letter }, never, number>({
        name: 'log',
        start: () => 0,
        next(n, { item }) {
          log.length = n;
          log.push(item.letter);
          return [n + 1];
        },
      }),
    ),
  });
  const whole: string[] = [];
  await new Flow(wire(whole)).start();
  expect(whole.join('')).toBe(`aubvcwdxeyfz${one.slice(6)}`);

  const log: string[] = [];
  const first: Flow = new Flow(wire(log), () => {
    if (log.length > 4) first.stop();
  });
  expect(await first.start()).toBe('stopped');
  expect(log.length).toBeLessThan(whole.length);
  const second = new Flow(wire(log));
  second.load(structuredClone(first.save()));
  expect(await second.start()).toBe('done');
  expect(log).toEqual(whole);
});

test('a fork makes a stream once, and its slowest branch holds back the source', async () => {
  let drawn = 0;
  let slowest = 0;
  const got: string[] = [];
  const shared$ = spell('letters', 'abcdefghijklmnopqrstuvwxyz', 4, () => drawn++).pipe(fanOut('fork'));
  const fast$ = shared$.pipe(
    map((item) => {
      got.push(item.letter);
      expect(drawn - slowest).toBeLessThanOrEqual(6);
      return item;
    }),
  );
  const slow$ = shared$.pipe(
    concatMap((item) => timer(1).pipe(map(() => item))),
    map((item) => {
      slowest = item.position;
      return item;
    }),
  );
  await new Flow({ fast$, slow$ }).start();
  expect(got.join('')).toBe('abcdefghijklmnopqrstuvwxyz');
  expect(drawn).toBe(26);
  expect(slowest).toBe(26);
});

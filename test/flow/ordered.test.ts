import { expect, test } from 'vitest';
import { ordered } from '../../src/flow/ordered.js';
import { marbles } from '../marbles.js';

test('a slow item holds back the fast one behind it', () => {
  marbles().run(({ hot, cold, expectObservable, expectSubscriptions }) => {
    const images$ = hot('ab-----|');
    const slow = cold('  ---(A|)');
    const fast = cold('   -(B|)');
    const out = '        ---(AB)|';

    expectObservable(images$.pipe(ordered('augment', 2, (x) => (x === 'a' ? slow : fast)))).toBe(out);
    expectSubscriptions(slow.subscriptions).toBe('^--!');
    expectSubscriptions(fast.subscriptions).toBe('-^!'); // done early, kept until its turn
  });
});

test('the earliest failed item ends the stream, and all work with it', () => {
  marbles().run(({ hot, cold, expectObservable, expectSubscriptions }) => {
    const images$ = hot('abc----|');
    const fails = cold(' --#');
    const late = cold('   ------(B|)');
    const work = { a: fails, b: late, c: late };

    expectObservable(images$.pipe(ordered('augment', 3, (x) => work[x as 'a' | 'b' | 'c']))).toBe('--#');
    expectSubscriptions(images$.subscriptions).toBe('^-!');
  });
});

test('unsubscribing cancels the work, and an empty source gives an empty stream', () => {
  marbles().run(({ hot, cold, expectObservable, expectSubscriptions }) => {
    const work = cold('-----(A|)');
    expectObservable(hot('a------').pipe(ordered('augment', 1, () => work)), '--!').toBe('---');
    expectSubscriptions(work.subscriptions).toBe('^-!');
    expectObservable(hot('--|').pipe(ordered('augment', 1, () => work))).toBe('--|');
  });
});

test('more items than the limit are an error that says what to do', () => {
  marbles().run(({ hot, cold, expectObservable }) => {
    const out$ = hot('abc').pipe(ordered('augment', 2, () => cold('-----(A|)')));
    let error: unknown;
    expectObservable(out$).toBe(
      '--#',
      undefined,
      expect.objectContaining({ message: expect.stringContaining("'augment'") }),
    );
    void error;
  });
});

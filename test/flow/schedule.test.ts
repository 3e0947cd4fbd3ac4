import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { at, atEnd, every, from } from '../../src/flow/schedule.js';
import { marbles } from '../marbles.js';

/** Three updates an epoch; update 0 is the initial state. */
const counted = (letter: string) => {
  const number = Number(letter);
  return { position: number, number, epoch: Math.ceil(number / 3), endsEpoch: number % 3 === 0 };
};

test.each([
  ['every 2 updates', every<ReturnType<typeof counted>>({ updates: 2 }), '0-2-4-6-|'],
  ['every epoch', every<ReturnType<typeof counted>>({ epochs: 1 }), '0--3--6-|'],
  ['every 2 epochs', every<ReturnType<typeof counted>>({ epochs: 2 }), '0-----6-|'],
  [
    'every update from the end of epoch 1 on',
    every<ReturnType<typeof counted>>({ updates: 1, from: { epoch: 1 } }),
    '---3456-|',
  ],
  ['from update 4 on', from<ReturnType<typeof counted>>({ update: 4 }), '----456-|'],
  ['at the end of epoch 1', at<ReturnType<typeof counted>>({ epoch: 1 }), '---3----|'],
  ['at update 5', at<ReturnType<typeof counted>>({ update: 5 }), '-----5--|'],
  ['at the end', atEnd<ReturnType<typeof counted>>(), '--------(6|)'],
])('%s', (_, operator, wanted) => {
  marbles().run(({ cold, expectObservable }) => {
    const out$ = cold('0123456-|').pipe(
      map(counted),
      operator,
      map(({ number }) => String(number)),
    );
    expectObservable(out$).toBe(wanted);
  });
});

test('errors and empty streams pass through', () => {
  marbles().run(({ cold, expectObservable }) => {
    expectObservable(cold('1-#').pipe(map(counted), atEnd())).toBe('--#');
    expectObservable(cold('--|').pipe(map(counted), atEnd())).toBe('--|');
    expectObservable(cold('--|').pipe(map(counted), every({ updates: 1 }))).toBe('--|');
  });
});

test('a cadence that is none is refused when the graph is wired', () => {
  expect(() => every({ updates: 0 })).toThrow('every({ updates: 0 }) is no cadence');
  expect(() => every({ epochs: 1.5 })).toThrow('every({ epochs: 1.5 }) is no cadence');
});

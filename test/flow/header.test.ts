import { filter, map, merge, type Observable, share } from 'rxjs';
import { expect, test } from 'vitest';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { mergeInTurn } from '../../src/flow/fork-and-join.js';
import { classesOf, type Header } from '../../src/flow/header.js';
import { serial } from '../../src/flow/serial.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';

const ab: Header = { classes: { of: 'data', names: ['a', 'b'] } };
const ba: Header = { classes: { of: 'more', names: ['b', 'a'] } };
const from = (header: Header | undefined, name = 'source') =>
  source({ name, from: () => [{ position: 1 }], ...(header && { header: () => header }) });
const pass = (name: string) =>
  stage<Positioned, Positioned, null>({ name, start: () => null, next: (s, item) => [s, item] });
const says = (name: string, header: Header) =>
  stage<Positioned, Positioned, null>({
    name,
    start: () => null,
    introduce: () => [header],
    next: (s, item) => [s, item],
  });
const train = (received: Header[][] = []) =>
  serial<Positioned, Positioned, number>({
    name: 'train',
    start: () => 7,
    introduce(incoming, state) {
      received.push([...incoming]);
      expect(state).toBe(7);
      return incoming;
    },
    next: (state, item) => [state, item],
    repeat: () => ({ position: 0 }),
  });

/** The headers of each node once the parts of a graph have been introduced. */
function introduced(streams: Record<string, Observable<unknown>>): Record<string, readonly Header[]> {
  const flow = new Flow(streams);
  flow.introduce();
  flow.close();
  return Object.fromEntries(flow.nodes.map(({ name, headers }) => [name, headers]));
}

test('it goes the way of the items, through operators of RxJS, from sources to sinks', () => {
  const received: Header[][] = [];
  const updates$ = from(ab).pipe(
    pass('one'),
    map((item) => item),
    train(received),
  );
  const tests$ = updates$.pipe(
    filter(() => true),
    pass('test'),
  );
  const found = introduced({ updates$, tests$ });
  expect(found).toEqual(
    Object.fromEntries(['source', 'one', 'train', 'test', 'updates$', 'tests$'].map((name) => [name, [ab]])),
  );
  expect(received).toEqual([[ab]]);
});

test('a stage may say something else of what it hands on; a source that says nothing has none', () => {
  const updates$ = from(undefined).pipe(train());
  const found = introduced({ updates$, tests$: updates$.pipe(says('readout', ba), pass('attack')) });
  expect(found).toMatchObject({ train: [], readout: [ba], attack: [ba], tests$: [ba] });
});

test('what share() hides from the training is told what the training hands on', () => {
  const shared$ = from(ab).pipe(train(), pass('every'), share());
  expect(introduced({ a$: shared$.pipe(pass('a')), b$: shared$.pipe(pass('b')) })).toMatchObject({ a: [ab], b: [ab] });
});

test('merged streams have the headers of all, each once; who needs classes refuses two orders', () => {
  const merged = (other: Header) => merge(from(ab, 'a'), from(other, 'b')).pipe(pass('batch'));
  expect(introduced({ x$: merged({ classes: { ...ab.classes! } }) }).batch).toEqual([ab]);
  const { batch } = introduced({ x$: merged(ba) });
  expect(batch).toEqual([ab, ba]);
  expect(() => classesOf('batch', batch!)).toThrow(
    "stage 'batch' gets samples of 'data' and of 'more', whose classes are not the same in the same order",
  );
  expect(classesOf('batch', [ab, {}])).toEqual(ab.classes);
  expect(introduced({ x$: mergeInTurn('turn', from(ab, 'a'), from(ba, 'b')) }).turn).toEqual([ab, ba]);
});

test('what a node throws ends it before any work: at the start, too, where nobody asked before', async () => {
  const odd = stage<Positioned, Positioned, null>({
    name: 'odd',
    start: () => null,
    introduce: () => {
      throw new Error('no such classes');
    },
    next: () => {
      throw new Error('it worked');
    },
  });
  await expect(new Flow({ x$: from(ab).pipe(odd) }).start()).rejects.toThrow('no such classes');
});

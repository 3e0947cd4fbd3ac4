import { of, timer } from 'rxjs';
import { concatMap, map } from 'rxjs/operators';
import { expect, test } from 'vitest';
import { Flow } from '../../src/flow/flow.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';
import type { ToThread } from '../../src/monitor/messages.js';
import { OutsideTaps } from '../../src/monitor/taps.js';

const items = (count: number) =>
  source({
    name: 'loader',
    capacity: 20,
    from: function* () {
      for (let i = 1; i <= count; i++) yield { position: i, values: Float32Array.of(i) };
    },
  });
const same = (name: string) =>
  stage<{ position: number }, { position: number }, null>({
    name,
    start: () => null,
    next: (none, item) => [none, item],
  });

const graph = (count = 1000) => {
  const out$ = items(count).pipe(
    same('work'),
    concatMap((item) => (item.position % 10 === 0 ? timer(1).pipe(map(() => item)) : of(item))),
  );
  return new Flow({ out$ });
};

function taps() {
  const posted: ToThread[] = [];
  return { posted, taps: new OutsideTaps((message) => posted.push(message)) };
}

test('a tap that nobody reads costs a count: one item is under way, and what the policy keeps', async () => {
  const flow = graph();
  const { posted, taps: outside } = taps();
  outside.follow(flow);
  outside.add(1, { edge: 'work', policy: { keep: 'buffer', size: 5 } });
  await flow.start();
  outside.close(1);
  expect(posted.map(({ type }) => type)).toEqual(['tapped', 'item', 'untapped']);
  expect(posted.at(-1)).toEqual({ type: 'untapped', tap: 1, seen: 1000, dropped: 1000 - 1 - 5 });
});

test('one that is read gives copies of plain data in order, each with the number of those that had to make way', async () => {
  const flow = graph();
  const posted: ToThread[] = [];
  const outside: OutsideTaps = new OutsideTaps((message) => {
    posted.push(message);
    if (message.type === 'item') setImmediate(() => outside.ack(message.tap));
  });
  outside.follow(flow);
  outside.add(1, { edge: 'work', policy: { keep: 'latest' } });
  await flow.start();
  const got = posted.flatMap((message) => (message.type === 'item' ? [message.item] : []));
  expect(got.length).toBeGreaterThan(5);
  let before = 0;
  for (const [i, { position, dropped, item }] of got.entries()) {
    expect(dropped).toBe(position - i - 1); // all that came and were not read
    expect(position).toBeGreaterThan(before);
    expect(item).toEqual({ position, values: Float32Array.of(position) });
    before = position;
  }
});

test('a rate holds the reader back, never the run', async () => {
  const flow = graph(3000);
  const posted: ToThread[] = [];
  const outside: OutsideTaps = new OutsideTaps((message) => {
    posted.push(message);
    if (message.type === 'item') outside.ack(message.tap);
  });
  outside.follow(flow);
  outside.add(1, { edge: 'loader', policy: { keep: 'latest' }, rate: 0.5 });
  await flow.start();
  outside.closeAll();
  expect(posted.filter(({ type }) => type === 'item')).toHaveLength(1);
});

test('an edge that there is not is refused with those that there are; a tap goes over to the next network', async () => {
  const { posted, taps: outside } = taps();
  outside.add(1, { edge: 'work', policy: { keep: 'latest' } });
  expect(posted.pop()).toMatchObject({ refused: { message: 'no network of the run is under way yet' } });
  const first = graph(10);
  outside.follow(first);
  outside.add(2, { edge: 'wrok', policy: { keep: 'latest' } });
  expect(posted.pop()).toEqual({
    type: 'tapped',
    tap: 2,
    refused: { message: "the graph has no edge after 'wrok'", remedy: "tap one of 'work', 'loader'" },
  });
  outside.add(3, { edge: 'work', policy: { keep: 'buffer', size: 1000 } });
  await first.start();
  const second = graph(10);
  outside.follow(second);
  await second.start();
  outside.close(3);
  expect(posted.at(-1)).toMatchObject({ seen: 20 });
});

import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bufferCount, filter, map, Observable, tap as rxTap, scan } from 'rxjs';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';
import { tap } from '../../src/flow/tap.js';
import { compare, type Measured, type Side } from './compare.js';

/**
 * Items per second through six trivial synchronous stages: map, filter, stateful count, batch of 10, tap, sink.
 *
 * Ours has demand, counters and states that can be saved at every stage; bare RxJS has none of it; Node's object streams have
 * backpressure. All three make and hand on the same records. The target is half of bare RxJS, and more than Node's streams. The
 * time for an item and stage is printed beside the engine's budget of it. `graph-throughput quick` prints the ratio of the fastest rounds, of twelve
 * or up to a hundred, which a loaded machine hardly changes.
 */
const stages = 6;
const budget = 60; // nanoseconds an item and stage, as `stage` states it

interface Item extends Positioned {
  readonly value: number;
}

const items = 200_000;

function* records(after = 0): Generator<Item> {
  for (let position = after + 1; position <= items; position++) yield { position, value: position };
}

interface Tens extends Positioned {
  readonly values: readonly number[];
}

const counted = stage<Item, Item, number>({ name: 'count', start: () => 0, next: (count, item) => [count + 1, item] });

const none: readonly number[] = [];

const tens = stage<Item, Tens, readonly number[]>({
  name: 'batch',
  needs: 10,
  holds: (held) => held.length,
  start: () => none,
  next(held, { position, value }) {
    const values = [...held, value];
    return values.length < 10 ? [values] : [none, { position, values }];
  },
});

const weir: Side = {
  name: 'Weir',
  async round() {
    let sum = 0;
    const out$ = source<Item>({ name: 'source', from: records }).pipe(
      map((item) => ({ ...item, value: item.value * 2 })),
      filter((item) => item.value % 3 !== 0),
      counted,
      tens,
      tap('tap', { keep: 'latest' }, () => undefined),
      map(({ position, values }) => {
        sum += values.length;
        return { position };
      }),
    );
    const begun = performance.now();
    await new Flow({ out$ }).start();
    return done(begun, sum);
  },
};

const rxjs: Side = {
  name: 'bare RxJS',
  round() {
    let sum = 0;
    const begun = performance.now();
    new Observable<Item>((subscriber) => {
      for (const record of records()) subscriber.next(record);
      subscriber.complete();
    })
      .pipe(
        map((item) => ({ ...item, value: item.value * 2 })),
        filter((item) => item.value % 3 !== 0),
        scan((state, item) => ({ count: state.count + 1, item }), { count: 0, item: { position: 0, value: 0 } }),
        bufferCount(10),
        rxTap(() => undefined),
        map((values) => {
          sum += values.length;
        }),
      )
      .subscribe();
    return done(begun, sum);
  },
};

const node: Side = {
  name: 'Node object streams',
  async round() {
    let sum = 0;
    let count = 0;
    let held: Item[] = [];
    const each = (work: (item: Item, out: Transform) => void): Transform =>
      new Transform({
        objectMode: true,
        transform(item, _, callback) {
          work(item, this);
          callback();
        },
      });
    const begun = performance.now();
    await pipeline(
      Readable.from(records()),
      each((item, out) => out.push({ ...item, value: item.value * 2 })),
      each((item, out) => item.value % 3 !== 0 && out.push(item)),
      each((item, out) => ++count > 0 && out.push(item)),
      each((item, out) => {
        held.push(item);
        if (held.length < 10) return;
        out.push(held);
        held = [];
      }),
      each((item, out) => out.push(item)),
      new Writable({
        objectMode: true,
        write(values: readonly Item[], _, callback) {
          sum += values.length;
          callback();
        },
      }),
    );
    return done(begun, sum);
  },
};

function done(begun: number, sum: number): number {
  const seconds = (performance.now() - begun) / 1000;
  const expected = Math.floor((items - Math.floor(items / 3)) / 10) * 10;
  if (sum < expected) throw new Error(`${sum} items came through, ${expected} were due`);
  return seconds;
}

/** Nanoseconds an item and stage, of the fastest round. */
const each = (seconds: readonly number[]): number => (Math.min(...seconds) * 1e9) / (items * stages);

async function quick(): Promise<boolean> {
  const times = { ours: [] as number[], peer: [] as number[] };
  let ratio = 0;
  for (let round = 0; round < 12 || (round < 100 && ratio < 0.5); round++) {
    times.ours.push(await weir.round(round));
    times.peer.push(await rxjs.round(round));
    ratio = Math.min(...times.peer) / Math.min(...times.ours);
  }
  console.log(`${each(times.ours).toFixed(0)} ns an item and stage; bare RxJS ${each(times.peer).toFixed(0)}`);
  console.log(`graph-throughput ratio ${ratio.toFixed(2)} (reach 0.50)`);
  return ratio >= 0.5;
}

function sayBudget({ ours, peer, ratio }: Measured): void {
  const fastest = `${each(ours).toFixed(0)} ns an item and stage in the fastest round (budget ${budget})`;
  console.log(`${fastest}; bare RxJS ${each(peer).toFixed(0)}`);
  console.log(`graph-throughput ratio ${ratio.toFixed(2)} (reach 0.50)`);
}

export async function bench([option]: readonly string[]): Promise<boolean> {
  if (option === 'quick') return quick();
  const work = { amount: items, unit: 'items' };
  const streams = await compare({ name: 'graph-throughput/node-streams', ours: weir, peer: node, reach: 1, work });
  const bare = await compare({ name: 'graph-throughput', ours: weir, peer: rxjs, reach: 0.5, work });
  sayBudget(bare);
  return streams.reached && bare.reached;
}

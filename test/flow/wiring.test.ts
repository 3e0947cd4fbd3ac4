import { EMPTY, from } from 'rxjs';
import { expect, test } from 'vitest';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { serial } from '../../src/flow/serial.js';
import { stage } from '../../src/flow/stage.js';
import { alone, currentContext } from '../../src/flow/wiring.js';

const items = [1, 2, 3].map((position) => ({ position }));

/** A stage that counts, and notes the context in which it was subscribed to. */
const count = (contexts: unknown[]) =>
  stage<Positioned, Positioned, number>({
    name: 'count',
    start() {
      contexts.push(currentContext());
      return 0;
    },
    next: (n, item) => [n + 1, item],
  });

test('outside of a flow a stage works alone, inside of one it belongs to that flow, and afterwards alone again', async () => {
  const contexts: unknown[] = [];
  const seen: number[] = [];
  const counted$ = from(items).pipe(count(contexts));
  counted$.subscribe(({ position }) => seen.push(position));
  const flow = new Flow({ counted$ });
  await flow.start();
  counted$.subscribe();
  expect(seen).toEqual([1, 2, 3]);
  expect(contexts).toEqual([alone, flow, alone]);
});

test('a graph that is refused while it is wired leaves no trace', () => {
  const twice$ = from(items).pipe(count([]), count([]));
  expect(() => new Flow({ twice$ })).toThrow("two parts of the graph are called 'count'");
  expect(currentContext()).toBe(alone);
});

test('alone, a serial stage emits its first output and all others, and gives its state back when it is left', async () => {
  const given: number[] = [];
  let disposed = 0;
  const stream$ = from(items).pipe(
    serial<Positioned, Positioned, Positioned>({
      name: 'train',
      start: () => ({ position: 0 }),
      next: (_, { position }) => [{ position }, { position }],
      repeat: (state) => state,
      dispose: () => disposed++,
    }),
  );
  await new Promise<void>((resolve) =>
    stream$.subscribe({ next: ({ position }) => given.push(position), complete: resolve }),
  );
  expect(given).toEqual([0, 1, 2, 3]);
  expect(disposed).toBe(1);
});

test('the barrier of a flow is reached without a serial stage too, and a stop before the start ends it there', async () => {
  let barriers = 0;
  const flow = new Flow({
    none$: EMPTY.pipe(count([])),
    counted$: from(items).pipe(stage({ ...count([]), name: 'b' })),
  });
  expect(flow.barrier.paced).toBe(false);
  expect(await flow.start()).toBe('done');
  const stopped = new Flow({ never$: from(new Promise<Positioned>(() => undefined)).pipe(count([])) }, () => {
    barriers++;
  });
  stopped.stop();
  expect(await stopped.start()).toBe('stopped');
  expect(barriers).toBe(1);
});

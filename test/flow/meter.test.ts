import { expect, test } from 'vitest';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { toText, userNodes } from '../../src/flow/graph.js';
import { FlowMeter } from '../../src/flow/meter.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';

const items = (count: number) =>
  source<Positioned>({
    name: 'loader',
    capacity: 20,
    from: function* () {
      for (let position = 1; position <= count; position++) yield { position };
    },
  });

const busyFor = (name: string, milliseconds: number) =>
  stage<Positioned, Positioned, null>({
    name,
    start: () => null,
    next(none, item) {
      for (const begun = performance.now(); performance.now() - begun < milliseconds; );
      return [none, item];
    },
  });

/** A log as a run puts it before a sink; its name says nothing. */
const log = (name: string) =>
  stage<Positioned, never, null>({ name, role: 'log', start: () => null, next: (none) => [none] });

test('a reading has the rate and the busy part of each stage since the one before, and names the busiest', async () => {
  const flow = new Flow({ out$: items(300).pipe(busyFor('light', 0), busyFor('slow', 0.3)) });
  const meter = new FlowMeter(flow);
  await flow.start();
  const { stages, edges, bottleneck } = meter.read();
  expect(stages.map(({ name, items }) => [name, items])).toEqual([
    ['out$', 300],
    ['slow', 300],
    ['light', 300],
    ['loader', 300],
  ]);
  expect(stages[1]!.busy).toBeGreaterThan(stages[2]!.busy!);
  expect(bottleneck?.name).toBe('slow');
  expect(edges).toContainEqual({ from: 'loader', to: 'light', queue: 0, limit: 20 });
  expect(meter.read().stages.every(({ rate }) => rate === 0)).toBe(true);
});

test('a log is known by its role: readings and the drawn graph show its sink instead, with the items that came to the log', async () => {
  const flow = new Flow({ out$: items(60).pipe(busyFor('log of wood', 0), log('writer')) });
  const meter = new FlowMeter(flow);
  await flow.start();
  expect(flow.nodes.map(({ name }) => name)).toEqual(['out$', 'writer', 'log of wood', 'loader']);
  expect(userNodes(flow).map(({ name }) => name)).toEqual(['out$', 'log of wood', 'loader']);
  const { stages, edges } = meter.read();
  expect(stages.map(({ name, items }) => [name, items])).toEqual([
    ['out$', 60],
    ['log of wood', 60],
    ['loader', 60],
  ]);
  expect(edges.map(({ from, to }) => `${from} ${to}`)).toEqual(['log of wood out$', 'loader log of wood']);
  expect(toText(flow)).not.toContain('writer');
});

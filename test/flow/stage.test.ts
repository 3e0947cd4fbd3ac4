import { EMPTY, mergeMap } from 'rxjs';
import { expect, test } from 'vitest';
import type { Positioned } from '../../src/flow/data.js';
import { Flow } from '../../src/flow/flow.js';
import { leaseOf, type WithLease } from '../../src/flow/lease.js';
import { filter, named } from '../../src/flow/operators.js';
import { atEnd } from '../../src/flow/schedule.js';
import { serial } from '../../src/flow/serial.js';
import { source } from '../../src/flow/source.js';
import { type Stage, stage } from '../../src/flow/stage.js';
import type { FlowState } from '../../src/flow/state.js';

interface Update extends Positioned, WithLease {
  readonly number: number;
  readonly epoch: number;
  readonly endsEpoch: boolean;
}

/** Updates 0 to `last` of a training that learns nothing; which of them ends an epoch is said. */
const updatesUpTo = (last: number, endsEpoch: (position: number) => boolean = () => true) =>
  source({
    name: 'count',
    *from(after) {
      for (let i = after + 1; i <= last; i++) yield { position: i };
    },
  }).pipe(
    serial<Positioned, Update, number>({
      name: 'train',
      start: () => 0,
      next(_, { position }) {
        return [position, this.repeat(position)];
      },
      repeat: (position) => ({ position, number: position, epoch: 1, endsEpoch: endsEpoch(position) }),
    }),
  );

/** A graph in which one stage works on what another made of the weights, beside one that works on the weights themselves. */
function graph(log: string[], made = { alive: 0 }) {
  const updates$ = updatesUpTo(4, (position) => position === 4);
  const slow = (name: string, steps: number) =>
    stage<Update & { made?: string }, { position: number; text: string }, number>({
      name,
      claims: 'weights',
      start: () => 0,
      *next(done, { position, made = 'weights' }) {
        for (let i = done + 1; i <= steps; i++) {
          yield [i === steps ? 0 : i, { position, text: `${name} ${i} of ${made} ${position}` }];
        }
      },
    });
  const fitted = (update: Update, at: number): Update & { made: string } => {
    made.alive++;
    leaseOf(update)?.onClose(() => {
      made.alive--;
    });
    return { ...update, made: `fit@${at}` };
  };
  const fits$ = updates$.pipe(
    atEnd(),
    stage<Update, Update & { made: string }, number>({
      name: 'fit',
      claims: 'weights',
      start: () => 0,
      *next(done, update) {
        for (let i = done + 1; i < 3; i++) yield [i];
        yield [update.position, fitted(update, update.position)];
      },
      repeat: (at, update) => (at === update.position ? fitted(update, at) : undefined),
    }),
  );
  const written = (name: string) =>
    stage<Positioned, never, number>({
      name,
      start: () => 0,
      next(lines, item) {
        log.push(`${name}: ${(item as { text?: string }).text ?? (item as { made?: string }).made}`);
        return [lines + 1];
      },
    });
  return {
    fits$: fits$.pipe(written('log fits')),
    beside$: updates$.pipe(atEnd(), slow('beside', 4), written('log beside')),
    behind$: fits$.pipe(slow('behind', 4), written('log behind')),
  };
}

test('work on what a stage made of the weights goes on where it was, and its order and its log are those of a run never stopped', async () => {
  const whole: string[] = [];
  let rests = 0;
  await new Flow(graph(whole), () => void rests++).start();
  expect(whole).toHaveLength(9);
  for (let stopAt = 1; stopAt <= rests; stopAt++) {
    const log: string[] = [];
    const made = { alive: 0 };
    let barrier = 0;
    let saved: FlowState | undefined;
    const first: Flow = new Flow(graph(log, made), () => {
      if (++barrier !== stopAt) return;
      saved = structuredClone(first.save());
      first.stop();
    });
    const outcome = await first.start();
    expect(made.alive).toBe(0);
    if (outcome === 'done') continue;
    const second = new Flow(graph(log, made));
    second.load(saved!);
    expect(await second.start()).toBe('done');
    expect(log, `stopped at barrier ${stopAt}`).toEqual(whole);
    expect(made.alive, 'what was made goes with the lease').toBe(0);
  }
});

test('items that an operator makes of one update are each worked on once, wherever the run is stopped among them', async () => {
  const wire = (log: string[]) => {
    const work = stage<Update & { part: string }, { position: number; text: string }, number>({
      name: 'work',
      claims: 'weights',
      start: () => 0,
      *next(done, { position, part }) {
        for (let i = done + 1; i <= 2; i++) yield [i === 2 ? 0 : i, { position, text: `${part}${i} of ${position}` }];
      },
    });
    const write = stage<{ position: number; text: string }, never, number>({
      name: 'log',
      start: () => 0,
      next(lines, { text }) {
        log.length = lines;
        log.push(text);
        return [lines + 1];
      },
    });
    const updates$ = updatesUpTo(2);
    const parts = mergeMap((update: Update) => ['a', 'b', 'c'].map((part) => ({ ...update, part })));
    return {
      out$: updates$.pipe(
        parts,
        filter(({ part }) => part !== 'b'),
        work,
        write,
      ),
    };
  };
  const whole: string[] = [];
  let rests = 0;
  await new Flow(wire(whole), () => void rests++).start();
  expect(whole).toEqual([0, 1, 2].flatMap((at) => ['a1', 'a2', 'c1', 'c2'].map((part) => `${part} of ${at}`)));
  for (let stopAt = 1; stopAt <= rests; stopAt++) {
    const log: string[] = [];
    let barrier = 0;
    const first: Flow = new Flow(wire(log), () => void (++barrier === stopAt && first.stop()));
    if ((await first.start()) === 'done') continue;
    const second = new Flow(wire(log));
    second.load(structuredClone(first.save()));
    expect(await second.start()).toBe('done');
    expect(log, `stopped at barrier ${stopAt}`).toEqual(whole);
  }
});

const half = () =>
  stage<Positioned, Positioned, null>({ name: 'half', start: () => null, next: (_, item) => [null, item] });
const source$ = source<Positioned>({ name: 'one', *from() {} });

test('of two parts of a kind one is given another name, and what stands before it keeps its own', () => {
  const flow = new Flow({ a$: source$.pipe(half(), named('second half', half())) });
  expect(flow.nodes.map(({ name }) => name)).toEqual(['a$', 'second half', 'half', 'one']);
  flow.close();
  expect(() => new Flow({ a$: EMPTY.pipe(half(), half()) })).toThrow("two parts of the graph are called 'half'");
});

/** Two updates, a stage behind them, and a log as a run keeps it: a resumed one is cut to the lines of the snapshot. */
function behindUpdates<State>(log: string[], value: Partial<Stage<Update, Positioned & { text: string }, State>>) {
  const updates$ = updatesUpTo(1);
  const own = { name: 'own', claims: 'weights', ...value } as Stage<Update, Positioned & { text: string }, State>;
  const write = stage<{ position: number; text: string }, never, number>({
    name: 'log',
    start: () => 0,
    next(lines, { text }) {
      log.length = lines;
      log.push(text);
      return [lines + 1];
    },
  });
  return { out$: updates$.pipe(stage(own), write) };
}

/** Stages that yield several outputs of an item, by what their state tells of how far the item is. */
const generators: Readonly<Record<string, Partial<Stage<Update, Positioned & { text: string }, unknown>>>> = {
  'no state': {
    start: () => null,
    *next(_, { position }) {
      for (let i = 1; i <= 3; i++) yield [null, { position, text: `${i} of ${position}` }];
    },
  },
  'a count of items, which moves at the end': {
    start: () => ({ items: 0 }),
    *next(state, { position }) {
      const { items } = state as { items: number };
      for (let i = 1; i <= 3; i++) yield [state, { position, text: `${i} of item ${items}` }];
      yield [{ items: items + 1 }];
    },
  },
  'a state that moves at every second output': {
    start: () => 0,
    *next(done, { position }) {
      for (let i = done as number; i < 2; i++) {
        yield [i, { position, text: `${i}a of ${position}` }];
        yield [1 - i, { position, text: `${i}b of ${position}` }];
      }
    },
  },
};

for (const [kind, value] of Object.entries(generators)) {
  test(`a stage with ${kind} gives each output once, though the run is stopped twice`, async () => {
    const whole: string[] = [];
    let barriers = 0;
    await new Flow(behindUpdates(whole, value), () => void barriers++).start();
    const stops = Array.from({ length: barriers }, (_, i) => i + 1);
    for (const [first, second] of stops.flatMap((a) => stops.map((b) => [a, b] as const))) {
      const log: string[] = [];
      let saved: FlowState | undefined;
      for (const stopAt of [first, second, Number.POSITIVE_INFINITY]) {
        let barrier = 0;
        const flow: Flow = new Flow(behindUpdates(log, value), () => void (++barrier === stopAt && flow.stop()));
        if (saved !== undefined) flow.load(saved);
        if ((await flow.start()) === 'done') break;
        saved = structuredClone(flow.save());
      }
      expect(log, `stopped at barrier ${first}, then ${second}`).toEqual(whole);
    }
  });
}

test('a stage whose state is changed in place, or that waits, ends the run by its name', async () => {
  const run = (value: object): Promise<unknown> => new Flow(behindUpdates([], value)).start();
  await expect(
    run({
      start: () => ({ done: 0 }),
      *next(state: { done: number }, { position }: Update) {
        for (; state.done < 3; state.done++) yield [state, { position, text: '' }];
      },
    }),
  ).rejects.toThrow("Cannot assign to read only property 'done'");
  for (const next of [
    async (_: null, { position }: Update) => [null, { position }],
    async function* (_: null, { position }: Update) {
      yield [null, { position }];
    },
  ]) {
    await expect(run({ start: () => null, next })).rejects.toThrow(
      "stage 'own': next returned a promise, or steps that come later",
    );
  }
  await expect(run({ start: () => null, next: () => undefined })).rejects.toThrow('undefined, which is no step');
});

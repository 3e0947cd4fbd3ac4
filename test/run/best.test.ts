import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  concatMap,
  delay,
  filter,
  from,
  lastValueFrom,
  map,
  type Observable,
  type OperatorFunction,
  of,
  toArray,
} from 'rxjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import ownTable from '../../pipelines/examples/own-table.js';
import { xor } from '../../src/data/datasets/synthetic.js';
import type { Outcome } from '../../src/flow/flow.js';
import { Flow } from '../../src/flow/flow.js';
import { fanOut } from '../../src/flow/fork-and-join.js';
import { serial } from '../../src/flow/serial.js';
import { source } from '../../src/flow/source.js';
import { stage } from '../../src/flow/stage.js';
import { ensemble } from '../../src/learn/ensemble/ensemble.js';
import { memberAccuracy } from '../../src/measure/accuracy/accuracy.js';
import { keepBest, type Measured, stopEarly } from '../../src/run/best.js';
import { planChange } from '../../src/run/change-config.js';
import { collectReport } from '../../src/run/collect/collect.js';
import { planFork } from '../../src/run/fork.js';
import { recordsOf } from '../../src/run/run-log.js';
import { fromRun } from '../../src/run/weights.js';
import { key, quantity, record, z } from '../../src/storage/record.js';
import { RunFolder } from '../../src/storage/run-folder.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { call, hashOf, start, statusOf, untapped } from '../cli/weir.js';
import { folderOf, runUpTo } from './stopped.js';

interface Loss extends Measured {
  readonly loss: number;
}
const losses = (...values: number[]): Loss[] =>
  values.map((loss, i) => ({ position: i + 1, number: 10 * (i + 1), epoch: i, loss }));

test('the training ends behind so many measurements without a better one, once', async () => {
  const items = losses(3, 2, Number.NaN, 2, 1.9, 1.9, 5, 1, 0);
  const found = (options: { patience: number; least?: number }) =>
    lastValueFrom(from(items).pipe(stopEarly({ by: 'loss', better: 'lower', ...options }), toArray()));
  expect(await found({ patience: 2 })).toMatchObject([
    {
      number: 40,
      best: 2,
      bestNumber: 20,
      reason: 'loss was not better than 2 of update 20 in the last 2 measurements',
    },
  ]);
  expect(await found({ patience: 3, least: 0.5 })).toMatchObject([{ number: 50, best: 2 }]);
  expect(await found({ patience: 4 })).toEqual([]);
});

test('the best so far, the better one first, of equal ones the first', async () => {
  const items = losses(3, 2, Number.NaN, 2, 1, 2.5);
  const found = await lastValueFrom(from(items).pipe(keepBest({ by: 'loss', better: 'lower', count: 2 }), toArray()));
  expect(found.map(({ number, rank, kept }) => [number, rank, kept])).toEqual([
    [10, 1, [10]],
    [20, 1, [20, 10]],
    [40, 2, [20, 40]],
    [50, 1, [50, 20]],
  ]);
});

test('a stream that cannot be judged is refused', async () => {
  const of = (item: object) =>
    lastValueFrom(from([item as Loss]).pipe(stopEarly({ by: 'loss', better: 'lower', patience: 1 })));
  await expect(of({ position: 1, number: 1, epoch: 1, accuracy: 1 })).rejects.toThrow(
    "goes by 'loss', which its measurements do not have",
  );
  await expect(of({ position: 1, number: 1, epoch: 1, loss: () => 1 })).rejects.toThrow(
    "goes by 'loss', which is no number there",
  );
  await expect(of({ ...losses(1)[0], network: 'one-s1' })).rejects.toThrow("gets measurements of member 'one-s1'");
  expect(() => stopEarly<Loss>({ by: 'loss', better: 'more' as 'higher', patience: 1 })).toThrow('better: "more"');
  expect(() => stopEarly<Loss>({ by: 'loss', better: 'lower', patience: 0 })).toThrow('patience = 0');
  expect(() => keepBest<Loss>({ by: 'loss', better: 'lower', count: 1.5 })).toThrow('count = 1.5');
});

test('a number that the record of a measurement does not have is refused when the graph is wired', () => {
  const lossRecord = record({ name: 'losses', role: 'test', fields: { loss: quantity(), worst: key(z.string()) } });
  const measured = (ofMembers: boolean) =>
    endless().pipe(
      counting(),
      stage<Loss, Loss, null>({
        name: 'measure',
        record: { ...lossRecord, ofMembers },
        start: () => null,
        next: (state, item) => [state, item],
      }),
    );
  const wired = (
    by: string,
    of: (items$: Observable<Loss>) => Observable<Loss> = (items$) => items$,
    members = false,
  ) => {
    const judged$ = of(measured(members));
    const remarks: string[] = [];
    for (const judge of [
      stopEarly<Loss>({ by: by as 'loss', better: 'lower', patience: 1 }),
      keepBest<Loss>({ by: by as 'loss', better: 'lower' }),
    ]) {
      const flow = new Flow({ judged$: judged$.pipe(judge as OperatorFunction<Loss, Measured>) });
      flow.introduce();
      flow.close();
      remarks.push(...flow.remarks);
    }
    return remarks;
  };
  expect(wired('loss')).toEqual([]);
  const refusal = (message: string, remedy: string) =>
    expect.objectContaining({ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) });
  expect(() => wired('los')).toThrow(
    refusal("goes by 'los', which its measurements do not have", "did you mean 'loss'? The numbers there are loss"),
  );
  expect(() => wired('los', fanOut('losses'))).toThrow("goes by 'los'");
  expect(() => wired('worst')).toThrow("goes by 'worst', which is no number there");
  expect(() =>
    wired(
      'los',
      filter(({ loss }) => loss > 0),
    ),
  ).toThrow("goes by 'los'"); // it makes no other items
  const halved = map((item: Loss) => ({ ...item, half: item.loss / 2 }));
  const later = ["stage 'stop early' goes by 'half'", "stage 'keep best' goes by 'half'"].map((what) =>
    expect.stringMatching(
      `^${what}, which is checked at the first measurement: the record 'losses' has no such number`,
    ),
  );
  expect(wired('half', halved)).toEqual(later);
  expect(wired('loss', halved)).toEqual([]);
  const undeclared = stage<Loss, Loss, null>({
    name: 'other',
    start: () => null,
    next: (state, item) => [state, item],
  });
  expect(wired('loss', undeclared)[0]).toContain('no record that declares its measurements reaches it');
  expect(() => wired('loss', undefined, true)).toThrow(
    refusal('gets measurements of the members of an ensemble', 'train that network by itself'),
  );
  const members = [1, 2].map((seed) => ({ name: `s${seed}`, seed, regularizer: 'none' as const }));
  const tests = memberAccuracy(ensemble([2, 4, 2], members), () => xor());
  expect(tests.record).toMatchObject({ name: 'accuracy', ofMembers: true });
});

/** Counts its updates: the loss falls up to update 5, then rises. */
const counting = () =>
  serial<Measured, Loss, number>({
    name: 'train',
    start: () => 0,
    next(number) {
      return [number + 1, this.repeat(number + 1)];
    },
    repeat: (number) => ({ position: number, number, epoch: number, loss: Math.abs(number - 5) }),
  });
const endless = () =>
  source<Measured>({
    name: 'endless',
    *from(after) {
      for (let i = after + 1; ; i++) yield { position: i, number: i, epoch: i };
    },
  });

test('all streams complete where the training ends, those of an endless source too', async () => {
  const items$ = endless().pipe(fanOut('items'));
  const updates$ = items$.pipe(counting());
  const endings$ = updates$.pipe(stopEarly({ by: 'loss', better: 'lower', patience: 3 }));
  const flow = new Flow({ items$, updates$, endings$ });
  expect(await flow.start()).toBe('done');
  expect(flow.nodes.find(({ name }) => name === 'updates$')!.itemsIn).toBe(9); // 0 to 8
});

test('a measurement that an operator has delayed is refused, for then the end would depend on time', async () => {
  const updates$ = endless().pipe(counting());
  const late$ = updates$.pipe(concatMap((update) => of(update).pipe(delay(1))));
  const endings$ = late$.pipe(stopEarly({ by: 'loss', better: 'lower', patience: 3 }));
  await expect(new Flow({ updates$, endings$ }).start()).rejects.toThrow("stage 'stop early' got its item");
});

const base = mkdtempSync(join(tmpdir(), 'weir-best-'));
beforeAll(() => loadTensorFlow());
afterAll(() => rmSync(base, { recursive: true }));
const module = 'pipelines/examples/own-table.ts';
const folder = (name: string): RunFolder => folderOf(join(base, name), module, ownTable);
const run = (folder: RunFolder, stopAt?: number): Promise<Outcome> => runUpTo(folder, ownTable, stopAt);

const bestOf = ({ path }: RunFolder): string[] =>
  readdirSync(join(path, 'snapshots/own-table')).flatMap((name) => /best-\d+/.exec(name)?.[0] ?? []);

test('a run that ends early ends at the same update and bits where it is stopped or killed on the way', async () => {
  const whole = folder('whole');
  expect(await run(whole)).toBe('done');
  const log = [...recordsOf(whole)];
  const [ending] = log.filter(({ stream }) => stream === 'endings');
  const updates = log.filter(({ stream }) => stream === 'updates');
  expect(updates.at(-1)!.number).toBe(ending!.number);
  expect(ending!.number as number).toBeLessThan(1500);
  expect(log.filter(({ stream }) => stream === 'attacks')).toHaveLength(10); // the attack at the end was made
  const kept = log.filter(({ stream }) => stream === 'best').at(-1)!.kept as number[];
  expect(bestOf(whole).sort()).toEqual(kept.map((update) => `best-${update}`).sort());
  expect(kept[0]).toBe(ending!.bestNumber);

  const fork = (at: number) => planFork(whole, ownTable as never, { at, settings: ['patience=40'] });
  expect(() => fork(ending!.number as number)).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining(`fork before update ${ending!.number}`) }),
  );
  const { origin, config } = fork((ending!.number as number) - 1);
  const { module: path, pipeline, seed, networks } = whole.started;
  const patient = RunFolder.create(join(base, 'patient'), { module: path, pipeline, seed, config, networks, origin });
  expect(await run(patient)).toBe('done');
  const later = [...recordsOf(patient)].filter(({ stream }) => stream === 'endings').map(({ number }) => number);
  expect(later.every((number) => Number(number) > Number(ending!.number))).toBe(true);
  const change = () => planChange(whole, ownTable as never, ['patience=40']);
  const remedy = expect.stringContaining(`--at ${(ending!.number as number) - 1} --set patience=40`);
  expect(change).toThrow(expect.objectContaining({ remedy }));

  const stopped = folder('stopped');
  const last = ending!.number as number;
  for (const at of [1, kept[0]!, kept[0]! + 1, last - 1, last]) expect(await run(stopped, at)).toBe('stopped');
  expect(await run(stopped)).toBe('done');
  expect(await hashOf(stopped.path)).toBe(await hashOf(whole.path));
  expect(bestOf(stopped).sort()).toEqual(bestOf(whole).sort());

  const killed = join(base, 'killed');
  const often = ['--snapshot-every', '0.02'];
  const { child, ended, said } = start(...untapped(['run', module, '--run', killed, ...often]));
  await Promise.race([said('training'), ended]);
  child.kill('SIGKILL');
  await ended;
  const again = start(...untapped(['resume', killed, ...often]));
  await Promise.race([again.said('ends with update'), again.ended]);
  again.child.kill('SIGKILL');
  await again.ended;
  expect((await call('resume', killed)).status).toBe(0);
  expect(await hashOf(killed)).toBe(await hashOf(whole.path));

  const reason = `${ending!.reason}`;
  expect(await statusOf(killed)).toMatchObject({ state: 'done', ending: reason, update: last });
  expect(collectReport([whole]).notes).toContain(
    `own-table: its training ended after update ${last}, in epoch ${ending!.epoch} of 500, as ${reason}.`,
  );
  const values = (snapshot?: string) =>
    [
      ...fromRun(whole.path, snapshot ? { snapshot } : {})
        .read()
        .tensors.values(),
    ][0]!.values;
  expect(values('best')).toEqual(values(`best-${kept[0]}`));
  expect(values('best')).not.toEqual(values());
  expect(() => values('best-7')).toThrow("has no snapshot 'best-7'");
});

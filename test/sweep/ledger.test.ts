import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { thisProcess } from '../../src/storage/process-id.js';
import { Ledger, mostBarren, refuseNetwork } from '../../src/sweep/ledger.js';

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-ledger-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const dead = { pid: Number(execFileSync('sh', ['-c', 'echo $$'])), host: hostname(), started: 'before' };
const elsewhere = { pid: 7, host: 'another' };
const jobs = [
  { name: 'a', after: [] },
  { name: 'b', after: ['a'] },
  { name: 'c', after: [] },
];
const names = (claimed: readonly (readonly [{ readonly name: string }, unknown])[]) =>
  claimed.map(([{ name }]) => name);

test('a job is claimed once, when those before it are done, and only its holder can settle it', () => {
  const [one, other] = [Ledger.open(join(base, '1'), 'x'), Ledger.open(join(base, '1'), 'x', { me: elsewhere })];
  expect(names(one.claim(jobs, 1))).toEqual(['a']);
  expect(names(other.claim(jobs, 9))).toEqual(['c']);
  expect(names(one.claim(jobs, 9))).toEqual([]);
  expect(other.settle('a', 1, { state: 'done' })).toBe(false);
  expect(one.settle('a', 2, { state: 'done' })).toBe(false);
  expect(one.settle('a', 1, { state: 'done' })).toBe(true);
  expect(one.settle('a', 1, { state: 'failed' })).toBe(false);
  expect(names(one.claim(jobs, 9))).toEqual(['b']);
  one.settle('b', 1, { state: 'failed', reason: 'a reason' });
  expect(one.all(jobs).get('b')).toMatchObject({ state: 'failed', reason: 'a reason', attempts: 1 });
  one.reopen(jobs);
  expect(one.claim(jobs, 9)).toMatchObject([[{ name: 'b' }, { attempts: 2 }]]);
});

test('the lease of a dead process is taken over at once; that of another machine, after five minutes without a heartbeat', () => {
  let now = 0;
  const open = (me: typeof elsewhere) => Ledger.open(join(base, '2'), 'x', { me, now: () => now });
  const [killed, far, mine] = [open(dead), open(elsewhere), open(thisProcess())];
  killed.claim(jobs, 1);
  far.claim(jobs, 1);
  expect(names(mine.takeOver(jobs))).toEqual(['a']);
  expect(killed.settle('a', 1, { state: 'done' })).toBe(false);
  now = 4 * 60_000;
  far.heartbeat([['c', 1]]);
  now = 8 * 60_000;
  expect(names(mine.takeOver(jobs))).toEqual([]);
  now = 10 * 60_000;
  expect(names(mine.takeOver(jobs))).toEqual(['c']);
});

test('a job that is killed five times in a row without a new snapshot has failed', () => {
  const ledger = Ledger.open(join(base, '3'), 'x');
  const attempt = (barren: boolean): void => {
    const [job, { attempts }] = ledger.claim(jobs, 1)[0]!;
    ledger.settle(job.name, attempts, { state: 'waiting', barren, reason: 'killed by SIGKILL' });
  };
  for (let i = 1; i < mostBarren; i++) attempt(true);
  attempt(false);
  for (let i = 0; i < mostBarren; i++) attempt(true);
  expect(ledger.all(jobs).get('a')).toMatchObject({
    state: 'failed',
    reason: 'killed by SIGKILL, 5 times without a new snapshot in between',
  });
});

test('a ledger of another sweep is refused by name', () => {
  Ledger.open(join(base, '4'), 'one');
  expect(() => Ledger.open(join(base, '4'), 'other')).toThrow('is of another sweep (one) than the folder');
});

test('a file that is no ledger is refused, and not mapped into memory', () => {
  for (const [i, bytes] of [10, 60, 5000, 70_000].entries()) {
    const folder = join(base, `foreign-${i}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'data.mdb'), Buffer.alloc(bytes, 7));
    expect(() => Ledger.open(folder, 'x')).toThrow(`the ledger ${folder} cannot be opened: it is no database`);
  }
});

test('a network file system is refused by name', () => {
  expect(() => refuseNetwork(base, () => 0x6969)).toThrow(`the ledger ${base} would lie on NFS`);
  expect(() => refuseNetwork(base, () => -11317950)).toThrow('CIFS'); // as a signed number
  refuseNetwork(base);
});

test('a running job is cancelled when its attempt ends, unless it is done by then', () => {
  const ledger = Ledger.open(join(base, '5'), 'x');
  ledger.claim(jobs, 2);
  for (const name of ['a', 'c', 'b']) ledger.cancel(name, 'no more of it');
  ledger.settle('a', 1, { state: 'waiting' });
  ledger.settle('c', 1, { state: 'done' });
  expect([...ledger.all(jobs).values()].map(({ state }) => state)).toEqual(['cancelled', 'cancelled', 'done']);
});

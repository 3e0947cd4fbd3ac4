import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { HeartbeatConnection } from '../../src/ranks/failure-detector.js';
import { freePorts } from '../../src/ranks/process.js';
import { rendezvous } from '../../src/ranks/rendezvous.js';

const base = mkdtempSync(join(tmpdir(), 'weir-supervisor-'));
const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

/** Starts a script of this folder as a process. */
function script(name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, name), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, WEIR_RUNTIME: 'cpu', ...env },
  });
  started.push(child);
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  const said = async (pattern: RegExp, times: number): Promise<string[][]> => {
    for (;;) {
      const all = [...err.matchAll(new RegExp(pattern, 'g'))];
      if (all.length >= times) return all;
      if (child.exitCode !== null && child.stderr.closed)
        throw new Error(`it ended without printing ${pattern}: ${err}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { child, said, ended: once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]> };
}

/** The connection of another supervisor that has joined at this port. */
async function joinAs(rank: number, port: number): Promise<HeartbeatConnection> {
  const { connections } = await rendezvous({ ranks: 2, own: [rank] }, { host: '127.0.0.1', port }, 4000, 10);
  return connections.get(0)!;
}

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a supervisor', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('hands the first %s on; a second one ends all ranks by force, with status %i', async (signal, status) => {
    const { child, said, ended } = script('stubborn.ts');
    const ranks = (await said(/process (\d+)/, 2)).map(([, pid]) => Number(pid));
    child.kill(signal);
    await said(new RegExp(`heard ${signal}`), 2);
    expect(ranks.map(lives)).toEqual([true, true]);
    child.kill(signal);
    expect(await ended).toEqual([status, null]);
    await expect.poll(() => ranks.some(lives), { timeout: 2000 }).toBe(false);
  });

  test('takes a message for one of the rank that the connection belongs to, whatever it says', {
    timeout: 20_000,
  }, async () => {
    const [port] = await freePorts(1);
    const env = { WEIR_RANK: '0', WEIR_RANKS: '2', WEIR_RENDEZVOUS: `127.0.0.1:${port}` };
    const { said, ended } = script('stubborn.ts', [], env);
    const connection = await joinAs(1, port!);
    await said(/process (\d+)/, 1);
    connection.send({ rank: 9, event: { kind: 'barrier', update: 3 } });
    for (const event of [null, 7, {}, { kind: 'exit', status: 'x' }]) connection.send({ event });
    connection.send({ rank: 0, event: { kind: 'exit', status: 3, signal: null } });
    expect(await ended).toEqual([3, null]);
    await said(/rank 1 on \S+ failed \(its error is above\): all ranks were stopped/, 1);
    connection.destroy();
  });

  test('that was killed does not end a rank that reports to it', async () => {
    const file = join(base, 'alive');
    const { said, ended, child } = script('orphan.ts', [file]);
    expect(await ended).toEqual([null, 'SIGKILL']);
    await once(child, 'close'); // the rank holds standard error open
    expect(existsSync(file)).toBe(true);
    expect(await said(/^.*$/, 1).then(([match]) => match![0])).toBe('');
  });
});

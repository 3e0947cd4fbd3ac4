import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasNative } from '../../src/tensorflow/ops/eager.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { call } from '../cli/weir.js';
import { small } from './kills.js';

const base = mkdtempSync(join(tmpdir(), 'weir-cut-'));
const names = ['a', 'b'].map((end) => `weir-${process.pid}-${end}`) as [string, string];
const command = join(import.meta.dirname, '../../src/cli/weir.js');
const ip = (...args: readonly string[]): Buffer => execFileSync('ip', args, { stdio: 'pipe' });

/** Makes two hosts, each a network namespace, and a link between them. @returns the reason where that is not possible */
function hosts(): string | undefined {
  try {
    for (const name of names) ip('netns', 'add', name);
    ip('link', 'add', 'va', 'netns', names[0], 'type', 'veth', 'peer', 'name', 'vb', 'netns', names[1]);
    for (const [i, name] of names.entries()) {
      ip('-n', name, 'addr', 'add', `10.213.7.${i + 1}/24`, 'dev', i === 0 ? 'va' : 'vb');
      for (const link of ['lo', i === 0 ? 'va' : 'vb']) ip('-n', name, 'link', 'set', link, 'up');
    }
    return undefined;
  } catch (error) {
    return `network namespaces need root and iproute2: ${(error as Error).message.split('\n')[0]}`;
  }
}

const started: ChildProcess[] = [];

/** Starts `weir run` as one rank of two, on its own host. */
function member(rank: 0 | 1, folder: string) {
  const [, , , ...rest] = small(folder, '--set', 'epochs=200');
  const args = [
    'run',
    'pipelines/mnist.ts',
    '--run',
    ...rest.filter((arg, i) => arg !== '--ranks' && rest[i - 1] !== '--ranks'),
  ];
  const env = {
    WEIR_RANK: String(rank),
    WEIR_RANKS: '2',
    WEIR_RENDEZVOUS: '10.213.7.1:7320',
    WEIR_THREADS: '1',
    NO_COLOR: '1',
  };
  const child = spawn('ip', ['netns', 'exec', names[rank], process.execPath, command, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  started.push(child);
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  return { ended: once(child, 'close').then(([status]) => ({ status: status as number, err })), printed: () => err };
}

let reason: string | undefined;
beforeAll(async () => {
  await loadTensorFlow();
  reason = hasNative() ? hosts() : 'collectives need the native runtime';
});
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const name of names) {
    try {
      ip('netns', 'del', name);
    } catch {
      // it does not exist
    }
  }
  rmSync(base, { recursive: true, force: true });
});

test('a link that is cut stops the ranks on both hosts, each naming the other, and the run can be resumed', {
  timeout: 150_000,
}, async ({ skip }) => {
  if (reason !== undefined) skip(reason);
  const folder = join(base, 'run');
  const both = [member(0, folder), member(1, folder)];
  while (!both[0]!.printed().includes('loss')) await new Promise((resolve) => setTimeout(resolve, 100));
  const cut = performance.now();
  ip('-n', names[0], 'link', 'set', 'va', 'down');
  const [zero, one] = await Promise.all(both.map(({ ended }) => ended));
  expect((performance.now() - cut) / 1000).toBeLessThan(30); // 20 seconds without a heartbeat, and the end of the ranks
  expect([zero!.status, one!.status], zero!.err + one!.err).toEqual([75, 75]);
  expect(zero!.err).toMatch(/rank 1 on \S+ sent no heartbeat for 2\d seconds: all ranks were stopped/);
  expect(one!.err).toMatch(/rank 0 on \S+ sent no heartbeat for 2\d seconds: all ranks were stopped/);
  const { out } = await call('status', folder, '--json');
  expect(JSON.parse(out)[0].state).toMatch(/killed|stopped/);
});

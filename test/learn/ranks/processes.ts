import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePorts } from '../../../src/ranks/process.js';

/** Runs `rank.ts` as so many ranks with synchronized batch normalization, each a process of one thread, and gives what each printed. */
export async function inProcessGroup<T>(ranks: number, args: readonly string[]): Promise<T[]> {
  const addresses = (await freePorts(ranks)).map((port) => `127.0.0.1:${port}`).join();
  return Promise.all(
    Array.from({ length: ranks }, async (_, rank) => {
      const group = { WEIR_RANK_OF_THIS: String(rank), WEIR_RANK_ADDRESSES: addresses };
      const env = { ...process.env, ...group, WEIR_RANK_BATCH_NORM: 'synchronized', WEIR_THREADS: '1' };
      const file = join(import.meta.dirname, 'rank.ts');
      const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk) => (out += chunk));
      child.stderr.on('data', (chunk) => (err += chunk));
      const [status] = (await once(child, 'close')) as [number | null];
      if (status !== 0) throw new Error(`rank ${rank} ended with ${status}: ${err}`);
      return JSON.parse(out) as T;
    }),
  );
}

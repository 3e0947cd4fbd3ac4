import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePorts } from '../../../src/ranks/process.js';

/** Runs `script` as so many ranks, each a process of one thread, and gives what each printed, as JSON. */
export async function inProcessGroup<T>(
  script: string,
  ranks: number,
  args: readonly string[],
  { synchronized = false } = {},
): Promise<T[]> {
  const addresses = (await freePorts(ranks)).map((port) => `127.0.0.1:${port}`).join();
  return Promise.all(
    Array.from({ length: ranks }, async (_, rank) => {
      const env: NodeJS.ProcessEnv = { ...process.env, WEIR_THREADS: '1' };
      if (ranks > 1) {
        Object.assign(env, { WEIR_RANK_OF_THIS: String(rank), WEIR_RANK_ADDRESSES: addresses });
        if (synchronized) env.WEIR_RANK_BATCH_NORM = 'synchronized';
      }
      const file = join(import.meta.dirname, script);
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

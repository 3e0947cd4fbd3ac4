import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { makeFolder } from '../../storage/make-folder.js';
import { SetUpFailure } from './failure.js';
import type { Listener } from './setup-progress.js';

/** A lock whose owner has not touched it for this long is that of a process that died, in milliseconds. */
const stale = 5_000;

/** Runs `work` alone among all processes that use this cache; a second one waits, and a lock left by a dead one is taken over. */
export async function alone<T>(cache: string, listen: Listener, work: () => Promise<T>): Promise<T> {
  const path = join(cache, 'lock');
  try {
    makeFolder(cache);
  } catch (error) {
    throw new SetUpFailure(
      `the cache folder ${cache} cannot be made: ${(error as Error).message}`,
      'name a folder that can be written with WEIR_CACHE',
      { cause: error },
    );
  }
  const release = await acquire(cache, path, listen);
  try {
    return await work();
  } finally {
    await release().catch(() => {}); // taken over by another meanwhile, or its folder is gone: nothing to release
  }
}

async function acquire(cache: string, path: string, listen: Listener): Promise<() => Promise<void>> {
  for (;;) {
    try {
      // A compromised lock (this process slept past `stale`) costs at most work done twice: results are renamed into place.
      return await lockfile.lock(cache, { lockfilePath: path, stale, update: stale / 4, onCompromised: () => {} });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ELOCKED') {
        throw new SetUpFailure(
          `the cache folder ${cache} cannot be locked: ${message}`,
          'name a folder that can be written with WEIR_CACHE',
          { cause: error },
        );
      }
      listen({ step: 'wait', what: `another set-up (${path})` });
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

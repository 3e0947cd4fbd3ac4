import { linkSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { WeirError } from '../../core/errors.js';
import { makeFolder } from '../../core/make-folder.js';
import { alive, overInSlurm, type ProcessMark, thisProcess } from './alive.js';

/** A folder that belongs to this process until it is released, or the process ends. */
export interface Lock {
  release(): void;
}

/**
 * Makes this process the only one on a run's folder, or throws a `WeirError` that names the one which is.
 *
 * The lock is a file `lock.N` that says who holds it. It is made whole and exclusively (by a hard link), and a lock
 * whose holder has died is never taken over but followed by `lock.N+1`, so of two that find it only one succeeds.
 * A holder that was killed counts no more at once.
 */
export function lockFolder(folder: string): Lock {
  const draft = join(folder, `lock-draft-${process.pid}-${performance.now()}`);
  try {
    makeFolder(folder);
    writeFileSync(draft, JSON.stringify(thisProcess()), { flush: true }); // whole, even if the machine dies next
    const path = take(folder, draft);
    return { release: () => remove(path) };
  } catch (error) {
    if (error instanceof WeirError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new WeirError(
      `cannot make the run folder ${folder} this process's own: ${code ?? error}`,
      'see that this user may write there and that the disk is not full',
      { cause: error },
    );
  } finally {
    remove(draft);
  }
}

/** The process that holds the folder, or held it when it was killed; undefined where nobody does. */
export function holderOf(
  folder: string,
): { readonly mark: ProcessMark; readonly alive: boolean | 'unknown' } | undefined {
  const newest = holders(folder).sort((a, b) => b.number - a.number)[0];
  return newest?.mark && { mark: newest.mark, alive: alive(newest.mark) };
}

function take(folder: string, draft: string): string {
  for (;;) {
    const before = holders(folder);
    refuseLiving(folder, before);
    const number = Math.max(0, ...before.map((holder) => holder.number)) + 1;
    const path = join(folder, `lock.${number}`);
    if (!linked(draft, path)) continue; // someone was quicker: look again

    const others = holders(folder).filter((holder) => holder.number !== number);
    try {
      refuseLiving(folder, others); // one that came between our look and our link
    } catch (error) {
      remove(path);
      throw error;
    }
    for (const dead of others) remove(dead.path);
    removeDrafts(folder);
    return path;
  }
}

/** Drafts of processes killed in the moment before they linked them. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(/^lock-draft-(\d+)-/.exec(name)?.[1]);
    if (pid && alive({ pid, host: hostname() }) === false) remove(join(folder, name));
  }
}

interface Holder {
  readonly path: string;
  readonly number: number;
  readonly mark?: ProcessMark;
}

function holders(folder: string): Holder[] {
  return readdirSync(folder).flatMap((name): Holder[] => {
    const number = /^lock\.(\d+)$/.exec(name)?.[1];
    if (!number) return [];
    const path = join(folder, name);
    try {
      return [{ path, number: Number(number), mark: JSON.parse(readFileSync(path, 'utf8')) as ProcessMark }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // released meanwhile
      return [{ path, number: Number(number) }];
    }
  });
}

function refuseLiving(folder: string, holders: readonly Holder[]): void {
  for (const { path, mark } of holders) {
    if (!mark) throw new WeirError(`the lock ${path} cannot be read`, `if no run uses ${folder}, delete that file`);
    const state = alive(mark);
    if (state === true) {
      throw new WeirError(
        `the run folder ${folder} is in use by process ${mark.pid}`,
        `wait until it ends, or stop it with \`kill ${mark.pid}\`; one folder takes one process at a time`,
      );
    }
    if (state === 'unknown' && !overInSlurm(mark)) {
      throw new WeirError(
        `the run folder ${folder} is in use by process ${mark.pid} of the machine '${mark.host}', which cannot be asked from here`,
        `if that process has ended, delete ${path}`,
      );
    }
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
  }
  try {
    writeFileSync(to, readFileSync(from), { flag: 'wx' }); // a file system without hard links
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or the folder is: either way nobody holds it.
  }
}

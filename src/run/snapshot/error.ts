import { WeirError } from '../../core/errors.js';

/** A snapshot that cannot be read or written, and, where it is one, the segment of it that is to blame. */
export class SnapshotError extends WeirError {
  override name = 'SnapshotError';

  constructor(
    message: string,
    remedy: string | undefined,
    readonly file: string,
    readonly segment?: string,
    options?: ErrorOptions,
  ) {
    super(message, remedy, options);
  }
}

const reasons: Record<string, readonly [reason: string, remedy: string]> = {
  ENOSPC: ['the disk is full', 'free some space'],
  EDQUOT: ["the user's share of the disk is full", 'free some space'],
  EIO: ['the disk failed', 'check the disk (dmesg), or move the run to another'],
  EACCES: ['permission is denied', 'give this user the right to write there'],
  EPERM: ['permission is denied', 'give this user the right to write there'],
  EROFS: ['the file system is read-only', 'mount it writable, or move the run to another'],
  ENOENT: ['there is no such file', 'see `ls` of the folder `snapshots` of the run'],
};

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? error);

/** Whether reading failed for a reason that says nothing about the file itself. */
export const isDenied = (cause: unknown): boolean => cause !== undefined && codeOf(cause) !== 'EIO';

/** What the file system threw, as what it means for the snapshot. */
export function diskError(cause: unknown, what: string, file: string): SnapshotError {
  const code = codeOf(cause);
  const [reason, remedy] = reasons[code] ?? ['the file system refused', 'see the code'];
  const message = `${what}: ${reason} (${code})`;
  return new SnapshotError(message, `${remedy}; the earlier snapshots are as they were`, file, undefined, { cause });
}

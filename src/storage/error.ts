import { WeirError } from '../flow/errors.js';

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

/** Codes of a file system that may have passed when it is asked again. */
const passing = new Set(['EIO', 'EAGAIN', 'EBUSY', 'EINTR', 'ESTALE', 'ETIMEDOUT', 'ENFILE', 'EMFILE', 'ENOMEM']);

/** Whether what the file system threw may be over in a moment. */
export const mayPass = (cause: unknown): boolean => passing.has(codeOf(cause));

/** Whether the error says that there is no such file: it was removed since the folder was listed. */
export const isGone = (error: unknown): boolean => error instanceof SnapshotError && codeOf(error.cause) === 'ENOENT';

/** Whether the error is of a file that could not be read, which says nothing of what is in it; else it was read and is altered. */
export const isUnread = (error: SnapshotError): boolean => error.cause !== undefined;

/** A file that could not be read, as what it means: none of its bytes is known to be altered. */
export function unreadable(cause: unknown, file: string): SnapshotError {
  const code = codeOf(cause);
  const [reason, remedy] = reasons[code] ?? ['the file system refused', 'see the code'];
  return new SnapshotError(
    `cannot read snapshot ${file}: ${reason} (${code})`,
    `${remedy}, then ask again: nothing was changed. If it can never be read, move that file away; what it held is then made again from the one before`,
    file,
    undefined,
    { cause },
  );
}

/** What the file system threw, as what it means for the snapshot. */
export function diskError(cause: unknown, what: string, file: string): SnapshotError {
  const code = codeOf(cause);
  const [reason, remedy] = reasons[code] ?? ['the file system refused', 'see the code'];
  const message = `${what}: ${reason} (${code})`;
  return new SnapshotError(message, `${remedy}; the earlier snapshots are as they were`, file, undefined, { cause });
}

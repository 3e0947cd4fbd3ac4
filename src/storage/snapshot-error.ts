import { WeirError } from '../flow/errors.js';
import { diskProblem } from './disk.js';

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

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? error);

/** Codes of a file system that may have passed when it is asked again. */
const passing = new Set(['EIO', 'EAGAIN', 'EBUSY', 'EINTR', 'ESTALE', 'ETIMEDOUT', 'ENFILE', 'EMFILE', 'ENOMEM']);

/** Whether what the file system threw may be over in a moment. */
export const mayPass = (cause: unknown): boolean => passing.has(codeOf(cause));

/** Whether the error says that there is no such file: it was removed since the folder was listed. */
export const isGone = (error: unknown): boolean => error instanceof SnapshotError && codeOf(error.cause) === 'ENOENT';

/** Whether the error is of a file that could not be read, which says nothing of what is in it; else it was read and is altered. */
export const isUnread = (error: SnapshotError): boolean => error.cause !== undefined;

/** The error of a snapshot that could not be read: none of its bytes is known to be altered. */
export function readError(cause: unknown, file: string): SnapshotError {
  const { reason, remedy } = diskProblem(cause);
  return new SnapshotError(
    `cannot read snapshot ${file}: ${reason}`,
    `${remedy}, then ask again: nothing was changed. If it can never be read, move that file away; what it held is then made again from the one before`,
    file,
    undefined,
    { cause },
  );
}

/** The error of work on snapshots that the file system refused. @param doing the end of "cannot …", with the file */
export function storeError(cause: unknown, doing: string, file: string): SnapshotError {
  const { reason, remedy } = diskProblem(cause);
  return new SnapshotError(
    `cannot ${doing}: ${reason}`,
    `${remedy}; the earlier snapshots are as they were`,
    file,
    undefined,
    { cause },
  );
}

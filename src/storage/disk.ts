import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { lstat, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WeirError } from '../flow/errors.js';
import type { FileSystem } from '../surroundings/files.js';
import { makeFolder } from '../surroundings/folders.js';
import { files as disk } from '../surroundings/surroundings.js';

const problems: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', 'free some space'],
  EDQUOT: ["the user's share of the disk is full", 'free some space'],
  EIO: ['the disk failed', 'check the disk (dmesg), or move the files to another'],
  EACCES: ['permission is denied', 'give this user the right to it'],
  EPERM: ['permission is denied', 'give this user the right to it'],
  EROFS: ['the file system is read-only', 'mount it writable, or name a folder on another'],
  ENOENT: ['there is no such file or folder', 'see that the folder is there, and the name right'],
  ENOTDIR: ['a part of the path is a file', 'name another path'],
  EISDIR: ['it is a folder', 'name a file'],
  EEXIST: ['there is one already', 'choose another name, or delete it first'],
};

/** The meaning of an error of the file system, and the remedy. The reason ends with the code, as in 'the disk is full (ENOSPC)'. */
export function diskProblem(cause: unknown): { readonly reason: string; readonly remedy: string } {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === undefined) return { reason: message, remedy: 'this is an error of Weir: report it' };
  const [reason, remedy] = problems[code] ?? ['the file system refused', 'see the code'];
  return { reason: `${reason} (${code})`, remedy };
}

/**
 * Does work on a file; an error of the file system becomes a `WeirError` that says what could not be done to which file, and why.
 *
 * @param doing the end of "cannot …", with the file: 'write the metric log /runs/1/metrics.ndjson'
 * @param remedy takes the place of the one that goes with the error's code, or is made of it
 */
export function onDisk<T>(doing: string, work: () => T, remedy?: string | ((usual: string) => string)): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof WeirError) throw cause;
    const problem = diskProblem(cause);
    const mend = typeof remedy === 'function' ? remedy(problem.remedy) : (remedy ?? problem.remedy);
    throw new WeirError(`cannot ${doing}: ${problem.reason}`, mend, { cause });
  }
}

/** A name beside a file, for what is to take its place; no other process makes the same. */
const partOf = (path: string): string => `${path}.${randomUUID().slice(0, 8)}.part`;

export interface AtomicFileOptions {
  /** Permissions of the file, less those that the umask takes away; 0o666 where none are given. */
  readonly mode?: number;
  readonly files?: FileSystem;
}

/**
 * A file that is written beside its place, and takes it when it is whole.
 *
 * A reader, also after a crash or a power failure, finds the earlier file or the new one, never a part: `commit` puts the bytes
 * on the disk (fsync), renames, and puts the folder's entry on the disk. Several processes may write the same file; the last one stays.
 * A process that is killed leaves `NAME.XXXXXXXX.part` behind, which nothing reads.
 *
 * Every method throws what the file system throws: `abandon` then leaves no part behind, and the earlier file as it was.
 *
 * @example
 * const out = new AtomicFile('weights.safetensors');
 * out.write(bytes);
 * out.commit();
 */
export class AtomicFile {
  /** Where the bytes are until `commit`. */
  readonly part: string;
  readonly #files: FileSystem;
  #handle: number | undefined;

  constructor(
    readonly path: string,
    { mode, files = disk }: AtomicFileOptions = {},
  ) {
    this.part = partOf(path);
    this.#files = files;
    this.#handle = files.create(this.part, mode);
  }

  /** Writes all of the bytes, behind what was written last or at a position of the file. */
  write(bytes: Uint8Array, position?: number): void {
    for (let done = 0; done < bytes.length; ) {
      const at = position === undefined ? undefined : position + done;
      const wrote = this.#files.write(this.#handle!, bytes.subarray(done), at);
      if (wrote <= 0) throw Object.assign(new Error('the disk took no more bytes'), { code: 'ENOSPC' });
      done += wrote;
    }
  }

  /** Puts the file in its place, once its bytes are safe on the disk. */
  commit(): void {
    this.#files.sync(this.#handle!);
    this.#close();
    this.#files.rename(this.part, this.path);
    this.#files.syncFolder(dirname(this.path));
  }

  /** Closes the part and removes it; what stands in the file's place stays. Never throws. */
  abandon(): void {
    for (const work of [() => this.#close(), () => this.#files.remove(this.part)]) {
      try {
        work();
      } catch {
        // The error that led here is the one to tell.
      }
    }
  }

  #close(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined) this.#files.close(handle);
  }
}

export interface AtomicWriteOptions extends AtomicFileOptions {
  /** The remedy of the error, where the one that goes with its code does not do. */
  readonly remedy?: string;
}

/**
 * Has a file written, whole or not at all, see `AtomicFile`: commits it when `write` returns, abandons it when that throws.
 *
 * @returns what `write` does
 * @throws {WeirError} 'cannot write FILE: the disk is full (ENOSPC)', or the `WeirError` that `write` throws
 */
export function atomically<T>(path: string, write: (out: AtomicFile) => T, options: AtomicWriteOptions = {}): T {
  const { remedy, ...rest } = options;
  return onDisk(
    `write ${path}`,
    () => {
      const out = new AtomicFile(path, rest);
      try {
        const result = write(out);
        out.commit();
        return result;
      } catch (error) {
        out.abandon();
        throw error;
      }
    },
    remedy,
  );
}

/**
 * Writes a file of these contents, whole or not at all; its folder must be there. A text is written as UTF-8.
 *
 * @throws {WeirError} as `atomically`
 * @example writeAtomically('runs/1/config.json', JSON.stringify(config));
 */
export const writeAtomically = (
  path: string,
  contents: string | Uint8Array | readonly Uint8Array[],
  options?: AtomicWriteOptions,
): void =>
  atomically(
    path,
    (out) => {
      const chunks = typeof contents === 'string' ? Buffer.from(contents) : contents;
      for (const chunk of chunks instanceof Uint8Array ? [chunks] : chunks) out.write(chunk);
    },
    options,
  );

/**
 * Puts a file, a folder or a link in its place, once `make` has made the whole of it at another path beside.
 *
 * Nothing is synced: where a power failure must not leave a part, `make` does that. The earlier folder is moved away first, for a rename
 * replaces files and links alone.
 *
 * @throws what `make` or the file system throws; no part is left behind
 */
export async function replaceAtomically(path: string, make: (part: string) => Promise<void>): Promise<void> {
  const [part, former] = [partOf(path), partOf(path)];
  try {
    makeFolder(dirname(path));
    await make(part);
    const there = await lstat(path).catch(() => undefined);
    if (there?.isDirectory()) await rename(path, former);
    await rename(part, path).catch(async (error) => {
      await rename(former, path).catch(() => {});
      throw error;
    });
  } finally {
    for (const rest of [part, former]) await rm(rest, { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * Makes sure that a text file is in UTF-8. Decoded otherwise, every byte of another encoding becomes the same character U+FFFD, and
 * names that differ become one.
 *
 * @throws {WeirError} that names the file and the line
 */
export function checkUtf8(file: string, bytes: Uint8Array): void {
  if (isUtf8(bytes)) return;
  let [line, begin] = [1, 0];
  for (let at = 0; at < bytes.length; at++) {
    const [code, next] = [bytes[at], bytes[at + 1]];
    if (code !== LF && (code !== CR || next === LF)) continue;
    if (!isUtf8(bytes.subarray(begin, at))) break;
    [line, begin] = [line + 1, at + 1];
  }
  throw new WeirError(
    `'${file}', line ${line}: there are bytes that are not UTF-8`,
    'save the file as UTF-8: from Latin-1, say, by iconv -f LATIN1 -t UTF-8',
  );
}

const [LF, CR] = [10, 13];

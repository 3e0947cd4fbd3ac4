import { join } from 'node:path';
import type { Data } from '../flow/data.js';
import type { FileSystem } from '../surroundings/files.js';
import { files as disk } from '../surroundings/surroundings.js';
import { AtomicFile } from './disk.js';
import {
  type About,
  decode,
  decodeHead,
  encode,
  headBytes,
  isGone,
  isUnread,
  mayPass,
  preambleBytes,
  readError,
  type Snapshot,
  SnapshotError,
  storeError,
} from './snapshot-format.js';

/** A snapshot that was read, and the newer ones that were refused on the way to it, newest first. */
export interface StoredSnapshot extends Snapshot {
  readonly path: string;
  readonly refused: readonly SnapshotError[];
}

/** A snapshot file of the store: `label` is the update's number, or the name of a pinned one. */
export interface ListedSnapshot {
  readonly path: string;
  readonly sequence: number;
  readonly label: string;
  readonly pinned: boolean;
}

const batchBytes = 2 ** 20; // small chunks are written together, this much at a time
const waits = [50, 200, 800]; // milliseconds before a file is read again
const aside = '.altered'; // what is added to the name of a snapshot that is set aside

/**
 * The snapshots of one run, in one folder: `000007-480.snapshot` is the seventh written, after update 480.
 *
 * Of the numbered ones the last `keep` stay; a named one (`000008-final.snapshot`) stays until one of the same name is
 * written. One process writes at a time (see `lockFolder`).
 *
 * @example
 * const store = new SnapshotStore('runs/1/snapshots');
 * store.write(480, { train: { weights } }, { pipeline: 'mnist', update: 480, position: 491_520 });
 * const last = store.newest(); // undefined: killed before the first snapshot
 */
export class SnapshotStore {
  readonly #keep: number;
  readonly #files: FileSystem;
  readonly #refused = new Set<string>();

  constructor(
    readonly folder: string,
    { keep = 3, files = disk }: { /** numbered snapshots */ keep?: number; files?: FileSystem } = {},
  ) {
    this.#keep = Math.max(1, keep);
    this.#files = files;
  }

  /**
   * Writes a snapshot and returns its path once it is safe on the disk: written beside, synced, renamed, folder synced.
   *
   * Synchronous, so that what it writes cannot move meanwhile. A number says after which update; a name pins it.
   * When it fails, its part is removed, the earlier snapshots are as they were, and the `SnapshotError` says why.
   *
   * @param late it is of an earlier moment than all that are there, and takes its place before them
   */
  write(label: number | string, data: Data, about: About, { late = false }: { readonly late?: boolean } = {}): string {
    if (!/^(\d+|[a-z][a-z0-9-]*)$/.test(String(label))) {
      throw new SnapshotError(
        `'${label}' cannot name a snapshot`,
        "use the update's number, or small letters, digits and '-' ('final')",
        this.folder,
      );
    }
    const chunks = encode(data, about);
    const newest = this.#sorted(this.#tidy())[0]?.sequence ?? 0;
    const sequence = late ? 0 : newest + 1;
    const path = join(this.folder, `${String(sequence).padStart(6, '0')}-${label}.snapshot`);
    let out: AtomicFile | undefined;
    try {
      this.#files.makeFolder(this.folder);
      out = new AtomicFile(path, { files: this.#files });
      for (const chunk of joined(chunks)) out.write(chunk);
      out.commit();
    } catch (error) {
      out?.abandon();
      throw storeError(error, `write snapshot ${path}`, path);
    }
    this.#try(() => this.#prune());
    return path;
  }

  /**
   * The newest snapshot that is whole. Torn and altered ones are left out and reported in `refused`.
   *
   * Undefined where the folder holds none at all; a `SnapshotError` where it holds some and none is whole, and where one cannot be read:
   * that says nothing of what is in it, and to go on from an older one would undo what it holds.
   */
  newest(): StoredSnapshot | undefined {
    const refused: SnapshotError[] = [];
    for (const { path } of this.list()) {
      try {
        return { ...this.#read(path), path, refused };
      } catch (error) {
        if (isGone(error)) return this.newest(); // pruned since it was listed: there is a newer one
        if (!(error instanceof SnapshotError) || isUnread(error)) throw error;
        refused.push(error);
        this.#refused.add(path);
      }
    }
    if (refused.length === 0) return undefined;
    throw new SnapshotError(
      `none of the ${refused.length} snapshots in ${this.folder} can be used:\n${refused.map((error) => `  ${error.message}`).join('\n')}`,
      `remove the folder ${this.folder}: what it held is then made again from the beginning, and no other network is touched`,
      this.folder,
      undefined,
      { cause: refused[0] },
    );
  }

  /** The newest snapshot without its arrays: what it says of itself, and where it is. @throws {SnapshotError} where that is not whole */
  newestHead(): (Snapshot & ListedSnapshot) | undefined {
    const [newest] = this.list();
    if (newest === undefined) return undefined;
    try {
      return this.head(newest);
    } catch (error) {
      if (isGone(error)) return this.newestHead();
      throw error;
    }
  }

  /** The newest snapshot pinned by this name, or undefined. Throws a `SnapshotError` where it is not whole. */
  pinned(name: string): StoredSnapshot | undefined {
    const listed = this.list().find((snapshot) => snapshot.pinned && snapshot.label === name);
    return listed && this.open(listed.path);
  }

  /** Whether there is a snapshot pinned by this name, be it one that was set aside. */
  had(name: string): boolean {
    return this.#sorted(this.#names().map((file) => file.replace(aside, ''))).some(({ label }) => label === name);
  }

  /** Gives a numbered snapshot, or one pinned by another name, this name. */
  pin({ path, sequence }: ListedSnapshot, name: string): void {
    const to = join(this.folder, `${String(sequence).padStart(6, '0')}-${name}.snapshot`);
    try {
      this.#files.rename(path, to);
    } catch (error) {
      throw storeError(error, `rename ${path}`, path);
    }
  }

  /** Removes the snapshots pinned by these names. One that cannot be removed now stays. */
  unpin(wanted: (label: string) => boolean): void {
    for (const { path, label, pinned } of this.list()) {
      if (pinned && wanted(label)) this.#try(() => this.#files.remove(path));
    }
  }

  /** Puts a file that is altered out of the way, beside its place, until the store has pinned another by its name. */
  setAside(path: string): void {
    try {
      this.#files.rename(path, `${path}${aside}`);
    } catch (error) {
      throw storeError(error, `set ${path} aside`, path);
    }
  }

  /** The snapshot in this file, of any folder. */
  open(path: string): StoredSnapshot {
    return { ...this.#read(path), path, refused: [] };
  }

  /** A listed snapshot without its arrays. @throws {SnapshotError} where its head is altered or cannot be read */
  head(listed: ListedSnapshot): Snapshot & ListedSnapshot {
    return { ...this.#head(listed.path), ...listed };
  }

  /** The snapshot files, newest first; none of them is read. */
  list(): ListedSnapshot[] {
    return this.#sorted(this.#names());
  }

  #names(): string[] {
    try {
      return this.#files.list(this.folder);
    } catch (error) {
      throw storeError(error, `read the folder ${this.folder}`, this.folder);
    }
  }

  #sorted(names: readonly string[]): ListedSnapshot[] {
    return names
      .flatMap((name): ListedSnapshot[] => {
        const [, sequence, label] = /^(\d+)-(.+)\.snapshot$/.exec(name) ?? [];
        if (!sequence || !label) return [];
        return [{ path: join(this.folder, name), sequence: Number(sequence), label, pinned: !/^\d+$/.test(label) }];
      })
      .sort((a, b) => b.sequence - a.sequence);
  }

  #read(path: string): Snapshot {
    return this.#again(() => decode(this.#bytes(path), path));
  }

  #head(path: string): Snapshot {
    return this.#again(() => {
      const length = headBytes(this.#bytes(path, preambleBytes), path);
      return decodeHead(this.#bytes(path, length), path);
    });
  }

  /** Reads once more where a checksum was wrong: a file that is altered stays so. */
  #again<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SnapshotError) || isUnread(error)) throw error;
      return read();
    }
  }

  #bytes(path: string, most?: number): Uint8Array {
    for (let tries = 0; ; tries++) {
      try {
        return this.#files.read(path, most);
      } catch (error) {
        if (tries === waits.length || !mayPass(error)) throw readError(error, path);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waits[tries]!);
      }
    }
  }

  /** Removes what a crash left half-written; returns the other names. */
  #tidy(): string[] {
    const names = this.#names();
    for (const name of names) {
      if (/\.snapshot\..*part$/.test(name)) this.#try(() => this.#files.remove(join(this.folder, name)));
    }
    return names.filter((name) => !name.endsWith('.part'));
  }

  /** Removes what need not be kept. What cannot be removed now is tried again after the next snapshot. */
  #prune(): void {
    const seen = new Set<string>();
    let numbered = 0;
    const names = this.#files.list(this.folder);
    let oldest = Number.POSITIVE_INFINITY;
    for (const { path, label, pinned, sequence } of this.#sorted(names)) {
      const keep = pinned ? !seen.has(label) : numbered < this.#keep;
      if (pinned) seen.add(label);
      else if (!this.#refused.has(path)) {
        numbered++; // a refused snapshot takes the place of no other
        if (keep) oldest = sequence;
      }
      if (!keep) this.#try(() => this.#files.remove(path));
    }
    for (const { path, sequence, label, pinned } of this.#sorted(
      names.filter((name) => name.endsWith(aside)).map((name) => name.slice(0, -aside.length)),
    )) {
      const replaced = pinned ? seen.has(label) : numbered >= this.#keep && sequence < oldest;
      if (replaced) this.#try(() => this.#files.remove(`${path}${aside}`));
    }
  }

  #try(work: () => void): void {
    try {
      work();
    } catch {
      // Nothing depends on it: the caller has said what does.
    }
  }
}

/** The same bytes in chunks of about `batchBytes`; what is larger already is handed on uncopied. */
function* joined(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    if (bytes > 0 && bytes + chunk.length > batchBytes) {
      yield Buffer.concat(small);
      small = [];
      bytes = 0;
    }
    if (chunk.length >= batchBytes) {
      yield chunk;
    } else {
      small.push(chunk);
      bytes += chunk.length;
    }
  }
  if (bytes > 0) yield Buffer.concat(small);
}

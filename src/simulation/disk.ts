import { dirname } from 'node:path';
import { keyed, type Random } from '../flow/random.js';
import type { FileStat, FileSystem } from '../surroundings/files.js';

/** What a simulated disk does to its writer. */
export interface DiskFaults {
  /** The part of the writes that take some of the bytes only. */
  readonly short?: number;
  /** Bytes that it holds; for ever enough where none are given. */
  readonly capacity?: number;
  /** Called with the number of each call, from 1 on, before it is made: what it throws the caller gets. */
  readonly before?: (call: number) => void;
}

/** The bytes of a file as they are now, and as they were at its last sync. */
interface Inode {
  readonly number: number;
  bytes: Uint8Array;
  durable: Uint8Array;
  /** The call that changed it last. */
  changed: number;
}

/** A change of entries that a power failure undoes whole, if it does. */
type Change = ReadonlyMap<string, Inode | undefined>;

/**
 * A disk in memory, with the faults of a real one.
 *
 * A process that is killed loses nothing of what it wrote: `kill`. A machine that loses its power loses what was not synced: `losePower`
 * keeps of each file what its last sync has and some of the bytes after it, and of each folder the entries of its last sync and the
 * changes since up to one of them.
 */
export class SimulatedDisk implements FileSystem {
  /** Calls so far, those that failed included. */
  calls = 0;
  faults: DiskFaults = {};
  private readonly random: Random;
  private readonly folders = new Set<string>(['/']);
  private entries = new Map<string, Inode>();
  private durable = new Map<string, Inode>();
  private changes: Change[] = [];
  private readonly handles = new Map<number, { readonly inode: Inode; at: number; readonly appends: boolean }>();
  private handle = 100;
  private inodes = 0;

  constructor(seed: number) {
    this.random = keyed(seed, 'simulation/disk');
  }

  list(folder: string, deep = false): string[] {
    this.count();
    const below = [...this.entries.keys(), ...this.folders].filter((path) => path.startsWith(`${folder}/`));
    const names = below.map((path) => path.slice(folder.length + 1));
    return deep ? names : names.filter((name) => !name.includes('/'));
  }

  stat(path: string): FileStat | undefined {
    const inode = this.entries.get(path);
    return inode && { size: inode.bytes.length, mtimeMs: inode.changed, ino: inode.number };
  }

  exists(path: string): boolean {
    return this.entries.has(path) || this.folders.has(path);
  }

  makeFolder(folder: string): void {
    this.count();
    for (let path = folder; !this.folders.has(path); path = dirname(path)) this.folders.add(path);
  }

  read(path: string, most = Number.POSITIVE_INFINITY): Uint8Array {
    this.count();
    return this.inode(path).bytes.slice(0, most);
  }

  open(path: string): number {
    this.count();
    return this.opened(this.inode(path), false);
  }

  create(path: string): number {
    this.count();
    if (this.entries.has(path)) throw failure('EEXIST', path);
    return this.opened(this.made(path), false);
  }

  append(path: string): number {
    this.count();
    return this.opened(this.entries.get(path) ?? this.made(path), true);
  }

  size(file: number): number {
    return this.of(file).inode.bytes.length;
  }

  readAt(file: number, bytes: Uint8Array, position: number): number {
    this.count();
    const found = this.of(file).inode.bytes.subarray(position, position + bytes.length);
    bytes.set(found);
    return found.length;
  }

  write(file: number, bytes: Uint8Array, position?: number): number {
    this.count();
    const open = this.of(file);
    const { short = 0, capacity = Number.POSITIVE_INFINITY } = this.faults;
    const { inode } = open;
    const at = open.appends ? inode.bytes.length : (position ?? open.at);
    const some = short > 0 && this.random.uniform() < short ? 1 + this.random.integer(bytes.length) : bytes.length;
    const room = capacity - this.used + Math.max(0, inode.bytes.length - at);
    const taken = Math.min(some, room);
    if (taken <= 0) throw failure('ENOSPC', 'write');
    const all = new Uint8Array(Math.max(inode.bytes.length, at + taken));
    all.set(inode.bytes);
    all.set(bytes.subarray(0, taken), at);
    inode.bytes = all;
    inode.changed = this.calls;
    open.at = at + taken;
    return taken;
  }

  truncate(file: number, bytes: number): void {
    this.count();
    const { inode } = this.of(file);
    inode.bytes = inode.bytes.slice(0, bytes);
    inode.changed = this.calls;
  }

  sync(file: number): void {
    this.count();
    const { inode } = this.of(file);
    inode.durable = inode.bytes;
  }

  close(file: number): void {
    this.handles.delete(file);
  }

  rename(from: string, to: string): void {
    this.count();
    this.change([from, undefined], [to, this.inode(from)]);
  }

  syncFolder(folder: string): void {
    this.count();
    const isThere = (change: Change): boolean => [...change.keys()].some((path) => dirname(path) === folder);
    for (const change of this.changes.filter(isThere)) apply(this.durable, change);
    this.changes = this.changes.filter((change) => !isThere(change));
  }

  remove(path: string): void {
    this.count();
    this.inode(path);
    this.change([path, undefined]);
  }

  removeFolder(path: string): void {
    this.count();
    for (const file of this.list(path, true)) if (this.entries.has(`${path}/${file}`)) this.remove(`${path}/${file}`);
  }

  /** Bytes of all files. */
  get used(): number {
    return [...this.entries.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The process that had files open is gone; what it wrote is there. */
  kill(): void {
    this.handles.clear();
  }

  /** The machine loses its power: what was not synced may be lost. */
  losePower(): void {
    this.handles.clear();
    const kept = this.random.integer(this.changes.length + 1);
    for (const change of this.changes.slice(0, kept)) apply(this.durable, change);
    this.changes = [];
    this.entries = new Map(this.durable);
    for (const inode of new Set(this.entries.values())) {
      const { bytes, durable } = inode;
      const isLonger = bytes.length > durable.length && durable.every((byte, i) => byte === bytes[i]);
      const more = isLonger ? this.random.integer(bytes.length - durable.length + 1) : 0;
      inode.bytes = inode.durable = more > 0 ? bytes.slice(0, durable.length + more) : durable;
    }
  }

  private count(): void {
    this.faults.before?.(++this.calls);
  }

  private inode(path: string): Inode {
    const found = this.entries.get(path);
    if (found === undefined) throw failure('ENOENT', path);
    return found;
  }

  private of(file: number) {
    const open = this.handles.get(file);
    if (open === undefined) throw failure('EBADF', String(file));
    return open;
  }

  private opened(inode: Inode, appends: boolean): number {
    this.handles.set(++this.handle, { inode, at: 0, appends });
    return this.handle;
  }

  private made(path: string): Inode {
    if (!this.folders.has(dirname(path))) throw failure('ENOENT', path);
    const inode = { number: ++this.inodes, bytes: nothing, durable: nothing, changed: this.calls };
    this.change([path, inode]);
    return inode;
  }

  private change(...entries: [path: string, inode: Inode | undefined][]): void {
    const change = new Map(entries);
    apply(this.entries, change);
    this.changes.push(change);
  }
}

const nothing = new Uint8Array();

function apply(entries: Map<string, Inode>, change: Change): void {
  for (const [path, inode] of change) {
    if (inode === undefined) entries.delete(path);
    else entries.set(path, inode);
  }
}

/** An error as `node:fs` throws it. */
export const failure = (code: string, what: string): Error => Object.assign(new Error(`${code}: ${what}`), { code });

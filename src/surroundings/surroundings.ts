import { type Clock, systemClock } from './clock.js';
import { type FileSystem, systemFiles } from './files.js';

/**
 * Everything that the engine takes from outside of itself, so that another can take its place: a simulation, in which time, the order of
 * calls and every fault are a function of a seed.
 *
 * The flow, the metric log, snapshots and the run folder take time, timers and files from here. Worker threads, the lock of a folder, recordings,
 * monitor, ranks and sweeps do not yet. What is here is swapped whole, for one flow runs at a time in a process.
 */
export interface Surroundings {
  readonly clock: Clock;
  readonly files: FileSystem;
}

const system: Surroundings = { clock: systemClock, files: systemFiles };

let current = system;

/** Milliseconds since some moment. */
export const now = (): number => current.clock.now();

/** The time of day: milliseconds since 1970. */
export const date = (): number => current.clock.date();

/** See {@link Clock.soon}. */
export const soon: Clock['soon'] = (call) => current.clock.soon(call);

/** See {@link Clock.after}. */
export const after: Clock['after'] = (milliseconds, call) => current.clock.after(milliseconds, call);

/** See {@link Clock.stayAlive}. */
export const stayAlive: Clock['stayAlive'] = () => current.clock.stayAlive();

/** See {@link Clock.whenIdle}. */
export const whenIdle: Clock['whenIdle'] = (call) => current.clock.whenIdle(call);

/** The disk: each call goes to the file system of the moment. */
export const files: FileSystem = {
  list: (folder, deep) => current.files.list(folder, deep),
  exists: (path) => current.files.exists(path),
  stat: (path) => current.files.stat(path),
  makeFolder: (folder) => current.files.makeFolder(folder),
  read: (path, most) => current.files.read(path, most),
  open: (path) => current.files.open(path),
  create: (path, mode) => current.files.create(path, mode),
  append: (path) => current.files.append(path),
  size: (file) => current.files.size(file),
  readAt: (file, bytes, position) => current.files.readAt(file, bytes, position),
  write: (file, bytes, position) => current.files.write(file, bytes, position),
  truncate: (file, bytes) => current.files.truncate(file, bytes),
  sync: (file) => current.files.sync(file),
  close: (file) => current.files.close(file),
  rename: (from, to) => current.files.rename(from, to),
  syncFolder: (folder) => current.files.syncFolder(folder),
  remove: (path) => current.files.remove(path),
  removeFolder: (path) => current.files.removeFolder(path),
};

/** Has others take the place of the machine's until `run` has ended. */
export async function inSurroundings<T>(others: Surroundings, run: () => Promise<T>): Promise<T> {
  const before = current;
  current = others;
  try {
    return await run();
  } finally {
    current = before;
  }
}

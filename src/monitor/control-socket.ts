import { lstatSync, mkdtempSync, readFileSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { writeAtomically } from '../storage/disk.js';

/** Where a running process is reached, as its run's folder notes it. */
export interface Note {
  readonly pid: number;
  readonly socket: string;
  readonly token: string;
}

const longest = 100; // bytes of a socket's path that every system takes
const name = 'control.sock';
const settled = 60_000; // milliseconds after which a socket is listened at, or never will be

/**
 * Makes the folder of a run's socket, which only this user can enter. It lies where the path of a socket is not too long. The run's own folder
 * may lie deeper, or on a disk that knows no sockets, so it holds a note of the socket's path, which only this user can read.
 *
 * @returns the socket's path, and a function that removes the folder; undefined where no folder can be made
 */
export function makeSocketFolder(): { readonly socket: string; readonly remove: () => void } | undefined {
  for (const base of [process.env.XDG_RUNTIME_DIR, tmpdir(), '/tmp']) {
    if (base === undefined || Buffer.byteLength(join(base, 'weir-XXXXXX', name)) > longest) continue;
    try {
      const folder = mkdtempSync(join(base, 'weir-'));
      const socket = join(folder, name);
      return { socket, remove: () => removeSocket(socket) };
    } catch {
      // the next one may do
    }
  }
  return undefined;
}

/** Writes the note of the process's socket, and removes the socket that a killed process left. */
export function writeNote(run: string, note: Note): void {
  const before = readNote(run);
  if (before !== undefined) removeSocket(before.socket);
  writeAtomically(noteFile(run), `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

/**
 * Keeps the page's address, token and all, where this user alone can read it: in the run's folder, or where that is another's in a new
 * folder of the temporary one.
 *
 * @returns the file, and what takes it away
 */
export function writeAddress(run: string, url: string): { readonly file: string; readonly remove: () => void } {
  const write = (folder: string): string => {
    const file = join(folder, 'monitor.url');
    rmSync(file, { force: true });
    writeFileSync(file, `${url}\n`, { mode: 0o600, flag: 'wx' });
    return file;
  };
  try {
    const file = write(run);
    return { file, remove: () => rmSync(file, { force: true }) };
  } catch {
    const folder = mkdtempSync(join(tmpdir(), 'weir-'));
    return { file: write(folder), remove: () => rmSync(folder, { recursive: true, force: true }) };
  }
}

/** Where the process that works on this run is reached; undefined where it is not, or is another user's. */
export function readNote(run: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(noteFile(run), 'utf8')) as Partial<Note>;
    const whole = typeof note.socket === 'string' && typeof note.token === 'string' && typeof note.pid === 'number';
    return whole ? (note as Note) : undefined;
  } catch {
    return undefined;
  }
}

export const removeNote = (run: string): void => rmSync(noteFile(run), { force: true });

/**
 * Removes the folders of sockets on which no process listens: those of runs that were killed and never went on. A folder that was
 * made a moment ago stays, and so does another user's.
 */
export async function removeStaleSockets(socket: string): Promise<void> {
  const base = dirname(dirname(socket));
  for (const entry of await readdir(base)) {
    const other = join(base, entry, name);
    if (!entry.startsWith('weir-') || other === socket) continue;
    const file = await lstat(other).catch(() => undefined); // something else of that name, or another user's
    const old = file?.isSocket() && Date.now() - file.mtimeMs > settled;
    if (old && (await isDeserted(other))) removeSocket(other);
  }
}

function isDeserted(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = connect(socket, () => {
      asked.destroy();
      resolve(false);
    });
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

/** Takes a socket away, and its folder where nothing else is in it: whatever a note says, no file is lost. */
function removeSocket(socket: string): void {
  try {
    if (basename(socket) !== name || !basename(dirname(socket)).startsWith('weir-')) return;
    if (lstatSync(socket, { throwIfNoEntry: false })?.isSocket()) unlinkSync(socket);
    rmdirSync(dirname(socket));
  } catch {
    // gone already, or not ours
  }
}

const noteFile = (run: string): string => join(run, 'control.json');

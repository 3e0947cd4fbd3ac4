import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { call, type Ended, type Started, start } from '../cli/weir.js';

/** A fault outside of Weir, played through the command line: the number is right, or an error or notice names the fault. */
export interface Case {
  /** Area and fault, such as `identity: training images inverted between stop and resume`. */
  readonly name: string;
  /** Ends within seconds, and so is played by `npm test` too. */
  readonly quick?: boolean;
  /** Returns where all is well; throws `Silence` where a wrong number came out without a word. */
  play(world: World): Promise<void>;
}

/** A wrong number, or the loss of a right one, without an error or notice. */
export class Silence extends Error {
  override readonly name = 'Silence';
}

/** A folder of its own, and the command as a user calls it. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'weir-outside-'));

  /** An absolute path in the folder. */
  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Writes a file, and the folders above it. @returns its path */
  write(name: string, contents: string | Uint8Array): string {
    const file = this.path(name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
    return file;
  }

  /** Writes a pipeline module whose `weir` is this checkout's `src/index.ts`. @returns its path */
  module(name: string, body: string): string {
    const index = pathToFileURL(join(import.meta.dirname, '../../src/index.ts')).href;
    return this.write(name, `import * as weir from '${index}';\n${body}`);
  }

  /** Runs the command to its end, in a process that has run others. */
  weir(...args: string[]): Promise<Ended> {
    return call(...args);
  }

  /** Runs the command to its end as a process of its own, which has read no file before. */
  process(...args: string[]): Promise<Ended> {
    return start(...args).ended;
  }

  /** Starts the command, where it is to be stopped or killed on the way. */
  start(...args: string[]): Started {
    return start(...args);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The command succeeded. @throws {Error} with its output: the case itself is broken. */
export function succeeded(ended: Ended): Ended {
  if (ended.status !== 0) throw new Error(`the command ended with status ${ended.status}:\n${ended.err}${ended.out}`);
  return ended;
}

/** The command refused with this reason. @throws {Silence} where it succeeded, or gave another reason. */
export function refused({ status, out, err }: Ended, why: RegExp): void {
  if (status === 0) throw new Silence(`status 0, and it should have refused with ${why}:\n${err}${out}`);
  if (!why.test(err)) throw new Silence(`status ${status} without saying ${why}:\n${err}${out}`);
}

/** The command went on with a notice, on standard error or output. */
export function warned({ status, out, err }: Ended, what: RegExp): void {
  if (!what.test(err + out)) throw new Silence(`status ${status} without saying ${what}:\n${err}${out}`);
}

/** The result is right. @throws {Silence} with the wrong one. */
export function right(is: boolean, instead: string): void {
  if (!is) throw new Silence(instead);
}

/** How a case ended: `well`, in silence, or `broken` where it could not be played. */
export type Played = { readonly how: 'well' } | { readonly how: 'silence' | 'broken'; readonly why: string };

export async function played(one: Case): Promise<Played> {
  const world = new World();
  try {
    await one.play(world);
    return { how: 'well' };
  } catch (error) {
    return { how: error instanceof Silence ? 'silence' : 'broken', why: String((error as Error).message ?? error) };
  } finally {
    world.close();
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export const command = join(import.meta.dirname, '../../src/cli/weir.js');

export interface Ended {
  /** The exit status, or the signal's name where one ended it. */
  readonly status: number | NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when standard error has said this; rejects when the process ends without. */
  said(text: string): Promise<void>;
  /** All that standard error has said so far. */
  heard(): Promise<string>;
  /** Resolves when standard output holds this. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the command as a process of its own, with further variables in its environment where the first argument holds some. */
export function start(...all: readonly [variables: NodeJS.ProcessEnv, ...args: string[]] | readonly string[]): Started {
  const [variables, args] = typeof all[0] === 'object' ? [all[0], all.slice(1) as string[]] : [{}, all as string[]];
  const env = { ...process.env, NO_COLOR: '1', ...variables };
  const child = spawn(process.execPath, [command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const waiting: { text: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  let over = false;
  const never = (text: string): Error => new Error(`it ended without saying '${text}': ${err}`);
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
    for (const { text, resolve } of waiting) if (err.includes(text)) resolve();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      over = true;
      resolve({ status: signal ?? code, out, err });
      for (const { text, reject } of waiting) if (!err.includes(text)) setImmediate(() => reject(never(text)));
    });
  });
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      if (err.includes(text)) resolve();
      else if (over) setImmediate(() => reject(never(text)));
      else waiting.push({ text, resolve, reject });
    });
  const printed = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(out);
      if (found !== null) return found;
      if (child.exitCode !== null) throw new Error(`it ended without printing ${pattern}: ${err}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { child, ended, said, heard: async () => err, printed };
}

/** Runs the command to its end. */
export const weir = (...args: string[]): Promise<Ended> => start(...args).ended;

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { RunStatus } from '../../src/run/status.js';
import { RunFolder } from '../../src/storage/run-folder.js';

export const command = join(import.meta.dirname, '../../src/cli/weir.js');

export interface Ended {
  /** The exit status, or the name of the signal that ended it. */
  readonly status: number | NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once standard error holds this text; rejects where the process ends without it. */
  said(text: string): Promise<void>;
  /** The text on standard error so far. */
  heard(): Promise<string>;
  /** Resolves once standard output matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the command as a process. @param all variables for its environment, if any, and its arguments */
export function start(...all: readonly [variables: NodeJS.ProcessEnv, ...args: string[]] | readonly string[]): Started {
  const [variables, args] = typeof all[0] === 'object' ? [all[0], all.slice(1) as string[]] : [{}, all as string[]];
  const env = { ...process.env, NO_COLOR: '1', ...variables };
  const child = spawn(process.execPath, [command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const waiting: { text: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  let over = false;
  const never = (text: string): Error => new Error(`it ended without printing '${text}': ${err}`);
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

/** Runs the command to its end, as a process of its own. */
export const weir = (...args: string[]): Promise<Ended> => start(...args).ended;

/**
 * Runs the command to its end, in a process that has run others before: a second instead of four. For what a command prints, writes and
 * refuses; not for a module that was edited since another call, for signals, or for two commands at once.
 */
export function call(...args: string[]): Promise<Ended> {
  const called = last.then(() => inServer(args));
  last = called.catch(() => undefined);
  return called;
}

const END = '\u0000end of a command\u0000';
let last: Promise<unknown> = Promise.resolve();
let server: ChildProcess | undefined;

function inServer(args: readonly string[]): Promise<Ended> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) {
    server = spawn(process.execPath, [join(import.meta.dirname, 'server.js')], {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: 'pipe',
    });
    server.unref();
  }
  const { stdout, stderr } = server;
  const one = server;
  let [out, err] = ['', ''];
  return new Promise((resolve) => {
    const settle = (ended: Ended): void => {
      stdout!.removeAllListeners('data');
      stderr!.removeAllListeners('data');
      one.removeAllListeners('close');
      resolve(ended);
    };
    const check = (): void => {
      const [said, status] = err.split(END);
      if (out.endsWith(END) && status?.endsWith('\n'))
        settle({ status: Number(status), out: out.slice(0, -END.length), err: said! });
    };
    stdout!.on('data', (chunk) => {
      out += chunk;
      check();
    });
    stderr!.on('data', (chunk) => {
      err += chunk;
      check();
    });
    one.once('close', (code, signal) => settle({ status: signal ?? code, out, err }));
    one.stdin!.write(`${JSON.stringify({ args, end: END })}\n`);
  });
}

/** The SHA-256 that `weir hash --all` prints, without a process. */
export async function hashOf(run: string): Promise<string> {
  const { hashOfRun } = await import('../../src/cli/hash.js'); // slow to load
  return hashOfRun(RunFolder.open(run));
}

/** The status that `weir status --json` prints, without a process. */
export async function statusOf(run: string): Promise<RunStatus> {
  const status = await import('../../src/run/status.js');
  return status.statusOf(run);
}

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
  /** Whether the command has ended. */
  over(): boolean;
  /** Resolves once standard error holds this text; rejects where the command ends without it. */
  said(text: string): Promise<void>;
  /** The text on standard error so far. */
  heard(): Promise<string>;
  /** Resolves once standard output matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
}

/** What a command has printed so far, for those who wait for a text in it. */
class Output {
  out = '';
  err = '';
  over = false;
  private readonly waiting = new Set<() => void>();

  /** To be called whenever one of the above has changed. */
  changed(): void {
    for (const look of [...this.waiting]) look();
  }

  /** Resolves with what is found in it, as soon as it is there; rejects where the command ends without. */
  until<T>(found: () => T | undefined, wanted: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const value = found();
        if (value === undefined && !this.over) return;
        this.waiting.delete(look);
        if (value !== undefined) resolve(value);
        else setImmediate(() => reject(new Error(`it ended without printing ${wanted}: ${this.err}`)));
      };
      this.waiting.add(look);
      look();
    });
  }
}

function started(child: ChildProcess, output: Output, ended: Promise<Ended>): Started {
  return {
    child,
    ended,
    over: () => output.over,
    said: (text) =>
      output.until(() => (output.err.includes(text) ? true : undefined), `'${text}'`).then(() => undefined),
    heard: async () => output.err,
    printed: (pattern) => output.until(() => pattern.exec(output.out) ?? undefined, String(pattern)),
  };
}

/** Starts the command as a process. @param all variables for its environment, if any, and its arguments */
export function start(...all: readonly [variables: NodeJS.ProcessEnv, ...args: string[]] | readonly string[]): Started {
  const [variables, args] = typeof all[0] === 'object' ? [all[0], all.slice(1) as string[]] : [{}, all as string[]];
  const env = { ...process.env, NO_COLOR: '1', ...variables };
  const child = spawn(process.execPath, [command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = new Output();
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
    output.changed();
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
    output.changed();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      output.over = true;
      resolve({ status: signal ?? code, out: output.out, err: output.err });
      output.changed();
    });
  });
  return started(child, output, ended);
}

/** Runs the command to its end, as a process of its own. */
export const weir = (...args: string[]): Promise<Ended> => start(...untapped(args)).ended;

/**
 * Runs the command to its end, in a process that has run others before: a second instead of four. For what a command prints, writes and
 * refuses; not for a module that was edited since another call, or for two commands at once: a second call waits for the first.
 */
export function call(...args: string[]): Promise<Ended> {
  const called = last.then(() => begin(...args).ended);
  last = called.catch(() => undefined);
  return called;
}

/** Adds that nobody is to tap the run: the thread of its control socket takes as long to start as a small run. */
export function untapped(args: readonly string[]): readonly string[] {
  const [name, ...more] = args;
  const opens = ['run', 'resume', 'fork', 'attack', 'reproduce'].includes(name!);
  return opens && !more.some((one) => /^--(monitor|no-control)/.test(one)) ? [...args, '--no-control'] : args;
}

const END = '\u0000end of a command\u0000';
let last: Promise<unknown> = Promise.resolve();
let server: ChildProcess | undefined;
let busy = false;

/**
 * Starts the command in the process of `call`, whose child it is: a signal reaches it there, and SIGKILL takes the process with it.
 *
 * @throws where another command is under way in it
 */
export function begin(...args: string[]): Started {
  if (busy) throw new Error(`'weir ${args.join(' ')}' would be the second command at once: start a process`);
  busy = true;
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) {
    server = spawn(process.execPath, [join(import.meta.dirname, 'server.js')], {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: 'pipe',
    });
    server.unref();
  }
  const one = server;
  const output = new Output();
  const ended = new Promise<Ended>((resolve) => {
    const settle = (status: Ended['status']): void => {
      one.stdout!.removeAllListeners('data');
      one.stderr!.removeAllListeners('data');
      one.removeAllListeners('close');
      output.over = true;
      busy = false;
      resolve({ status, out: output.out, err: output.err });
      output.changed();
    };
    let [out, err] = ['', ''];
    const hear = (): void => {
      const [said, status] = err.split(END);
      output.out = out.split(END)[0]!;
      output.err = said!;
      if (out.endsWith(END) && status?.endsWith('\n')) settle(Number(status));
      else output.changed();
    };
    one.stdout!.on('data', (chunk) => {
      out += chunk;
      hear();
    });
    one.stderr!.on('data', (chunk) => {
      err += chunk;
      hear();
    });
    one.once('close', (code, signal) => settle(signal ?? code));
    one.stdin!.write(`${JSON.stringify({ args: untapped(args), end: END })}\n`);
  });
  return started(one, output, ended);
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

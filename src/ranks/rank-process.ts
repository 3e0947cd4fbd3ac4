import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { toError } from '../flow/core-terminal.js';
import { addressesVariable, rankVariable, synchronizedVariable } from '../tensorflow/collectives/environment.js';
import type { RankEvent } from './events.js';
import { rankReportOf } from './ranks-messages.js';

export interface RankOptions {
  readonly rank: number;
  readonly addresses: readonly string[];
  readonly args: readonly string[];
  readonly synchronized: boolean;
  /** Of each operation, where ranks share a machine that the user did not share out. */
  readonly threads: number | undefined;
  /** The GPU that it is to see, where one is chosen for it. */
  readonly gpu: string | undefined;
}

const grace = 2000; // milliseconds for a rank to end by itself once others have

/** The process of one rank: the same command again, told which rank it is. */
export class RankProcess {
  readonly rank: number;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private stoppedSince: number | undefined;

  constructor({ rank, addresses, args, synchronized, threads, gpu }: RankOptions, hear: (heard: RankEvent) => void) {
    this.rank = rank;
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      [rankVariable]: String(rank),
      [addressesVariable]: addresses.join(),
      ...(synchronized && { [synchronizedVariable]: 'synchronized' }),
    };
    if (threads !== undefined) env.WEIR_THREADS ||= String(threads);
    if (gpu !== undefined) env.CUDA_VISIBLE_DEVICES = gpu;
    // A group of its own: a Ctrl-C in the terminal reaches it through its supervisor, once.
    const stdio =
      rank === 0 ? (['inherit', 'inherit', 'inherit', 'ipc'] as const) : (['ignore', 'ignore', 'pipe', 'ipc'] as const);
    this.child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
      env,
      stdio: [...stdio],
      detached: true,
    });
    if (this.child.stderr) {
      createInterface(this.child.stderr).on('line', (line) => toError(`rank ${rank}: ${line}\n`));
    }
    this.child.on('message', (said) => {
      const told = rankReportOf(said); // a pipeline module may say things of its own
      if (told !== undefined) hear(told);
    });
    this.ended = new Promise((resolve) => {
      this.child.on('error', () => undefined); // it was not started: 'exit' does not come, 'close' does
      this.child.on('close', (status, signal) => {
        hear({ kind: 'ended', status, signal });
        resolve();
      });
    });
  }

  /** Seconds since it was first seen stopped (SIGSTOP, a debugger) as it is now; known on Linux alone. */
  stoppedFor(): number {
    const now = performance.now();
    this.stoppedSince = isStopped(this.child.pid!) ? (this.stoppedSince ?? now) : undefined;
    return (now - (this.stoppedSince ?? now)) / 1000;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves when it has ended: by itself within a short while, or else by force. A snapshot half written then is no loss. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), grace);
    await this.ended;
    clearTimeout(timer);
  }
}

function isStopped(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [tT]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WeirError } from '../flow/errors.js';
import { toError } from '../flow/terminal.js';
import { addressesVariable, rankVariable, synchronizedVariable } from '../tensorflow/collectives/rendezvous.js';
import { type RankEvent, rankReportOf } from './messages.js';
import type { LocalRanks } from './rendezvous.js';

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

/**
 * Which GPU each of this command's ranks is to see, as CUDA_VISIBLE_DEVICES: one a rank, of those that the user (or Slurm) lists, else of
 * all. Undefined where a rank sees what its supervisor sees: there is none to choose, or a task has its own already.
 *
 * @param count how many GPUs this machine has
 * @throws {WeirError} where several ranks would share one: NCCL refuses that, late and in words of its own
 */
export function gpusOf({ own, hub }: LocalRanks, env: NodeJS.ProcessEnv, count: number): (string | undefined)[] {
  const { CUDA_VISIBLE_DEVICES: list, SLURM_LOCALID: task, WEIR_RUNTIME: runtime } = env;
  const listed = list === undefined ? undefined : visible(list);
  const theirs = own.map(() => undefined);
  if (runtime === 'cpu' || runtime === 'wasm' || listed?.length === 0) return theirs;
  if (hub !== undefined) {
    if (!/^\d+$/.test(task ?? '') || listed?.length === 1 || env.SLURM_GPUS_PER_TASK) return theirs;
  }
  const gpus = listed ?? Array.from({ length: count }, (_, i) => String(i));
  const places = hub === undefined ? own : [Number(task)]; // of this machine's ranks, which these are
  const most = Math.max(...places) + 1;
  if (gpus.length >= most) return places.map((place) => gpus[place]);
  if (count === 0) return theirs; // a list on a machine without any hides nothing
  const which = list === undefined ? '' : ` (CUDA_VISIBLE_DEVICES=${list})`;
  throw new WeirError(
    `${most} ranks on this machine have ${gpus.length} ${gpus.length === 1 ? 'GPU' : 'GPUs'}${which}, and each needs its own`,
    'start fewer ranks, or compute on processors with WEIR_RUNTIME=cpu',
  );
}

/** CUDA reads the list up to the first entry that is none. */
function visible(list: string): string[] {
  const entries = list.split(',').map((entry) => entry.trim());
  const none = entries.findIndex((entry) => !/^(\d+|(GPU|MIG)-\S+)$/.test(entry));
  return none < 0 ? entries : entries.slice(0, none);
}

/** How many GPUs of NVIDIA this machine has that TensorFlow can use: it has no CUDA library for other processors. */
export function countGpus(): number {
  if (process.arch !== 'x64') return 0;
  try {
    return readdirSync(join('/proc', 'driver', 'nvidia', 'gpus')).length;
  } catch {
    return 0;
  }
}

/** Ports that nobody listens at. @param host the address that they are looked for at; by default all of this machine's */
export async function freePorts(count: number, host?: string): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, host));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

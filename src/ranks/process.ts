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
  /** Whether batch normalizations are over the shares of all ranks. */
  readonly synchronized: boolean;
  /** Threads of each operation, where several ranks share this machine and the user gave no number. */
  readonly threads: number | undefined;
  /** The GPU that the rank sees, where one is chosen for it. */
  readonly gpu: string | undefined;
}

const grace = 2000; // milliseconds in which a rank may end by itself once the run ends

/** The process of one rank: the same command again, with its rank in the environment. */
export class RankProcess {
  readonly rank: number;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private stoppedSince: number | undefined;

  constructor({ rank, addresses, args, synchronized, threads, gpu }: RankOptions, notice: (event: RankEvent) => void) {
    this.rank = rank;
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      [rankVariable]: String(rank),
      [addressesVariable]: addresses.join(),
      ...(synchronized && { [synchronizedVariable]: 'synchronized' }),
    };
    if (threads !== undefined) env.WEIR_THREADS ||= String(threads);
    if (gpu !== undefined) env.CUDA_VISIBLE_DEVICES = gpu;
    // Detached: a Ctrl-C in the terminal reaches the supervisor alone, which hands it on once.
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
    this.child.on('message', (message) => {
      const report = rankReportOf(message); // a pipeline module may send messages of its own
      if (report !== undefined) notice(report);
    });
    this.ended = new Promise((resolve) => {
      this.child.on('error', () => undefined); // where it cannot be started 'close' follows, but no 'exit'
      this.child.on('close', (status, signal) => {
        notice({ kind: 'exit', status, signal });
        resolve();
      });
    });
  }

  /** Seconds for which the process has been stopped (SIGSTOP, a debugger); always 0 elsewhere than on Linux. */
  stoppedFor(): number {
    const now = performance.now();
    this.stoppedSince = isStopped(this.child.pid!) ? (this.stoppedSince ?? now) : undefined;
    return (now - (this.stoppedSince ?? now)) / 1000;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves once the process has ended: by itself within two seconds, or else by SIGKILL. A snapshot half written then is no loss. */
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
 * The GPU that each of this command's ranks sees, as CUDA_VISIBLE_DEVICES: one a rank, out of the list of the user or of Slurm, else out of
 * all GPUs. Undefined where the rank sees what its supervisor sees: there is no choice, or the task has its own GPU already.
 *
 * @param count how many GPUs this machine has
 * @throws {WeirError} where several ranks would share a GPU: NCCL refuses that later, in its own words
 */
export function gpusOf({ own, rendezvous }: LocalRanks, env: NodeJS.ProcessEnv, count: number): (string | undefined)[] {
  const { CUDA_VISIBLE_DEVICES: list, SLURM_LOCALID: task, WEIR_RUNTIME: runtime } = env;
  const listed = list === undefined ? undefined : visible(list);
  const unchanged = own.map(() => undefined);
  if (runtime === 'cpu' || runtime === 'wasm' || listed?.length === 0) return unchanged;
  if (rendezvous !== undefined) {
    if (!/^\d+$/.test(task ?? '') || listed?.length === 1 || env.SLURM_GPUS_PER_TASK) return unchanged;
  }
  const gpus = listed ?? Array.from({ length: count }, (_, i) => String(i));
  const numbers = rendezvous === undefined ? own : [Number(task)]; // counted among the ranks of this machine
  const most = Math.max(...numbers) + 1;
  if (gpus.length >= most) return numbers.map((number) => gpus[number]);
  if (count === 0) return unchanged; // a list has no effect on a machine without GPUs
  const which = list === undefined ? '' : ` (CUDA_VISIBLE_DEVICES=${list})`;
  throw new WeirError(
    `${most} ranks on this machine have ${gpus.length} ${gpus.length === 1 ? 'GPU' : 'GPUs'}${which}, and each needs its own`,
    'start fewer ranks, or compute on processors with WEIR_RUNTIME=cpu',
  );
}

/** The entries of the list, up to the first that names no GPU: there CUDA stops reading. */
function visible(list: string): string[] {
  const entries = list.split(',').map((entry) => entry.trim());
  const none = entries.findIndex((entry) => !/^(\d+|(GPU|MIG)-\S+)$/.test(entry));
  return none < 0 ? entries : entries.slice(0, none);
}

/** How many NVIDIA GPUs of this machine TensorFlow can use: its CUDA libraries are for x64 alone. */
export function countGpus(): number {
  if (process.arch !== 'x64') return 0;
  try {
    return readdirSync(join('/proc', 'driver', 'nvidia', 'gpus')).length;
  } catch {
    return 0;
  }
}

/** Free ports. @param host the address on which they are free; by default every address of this machine */
export async function freePorts(count: number, host?: string): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, host));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

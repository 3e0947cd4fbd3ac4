import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';

/** Rest before a round, milliseconds. OpenMP's threads spin for 200. */
const pause = 250;

/** One of the two that are compared. */
export interface Side {
  readonly name: string;
  /** Does the work once and says how many seconds it took. */
  round(round: number): number | Promise<number>;
  close?(): void;
}

export interface Comparison {
  /** As in `npm run bench -- NAME`. */
  readonly name: string;
  readonly ours: Side;
  readonly peer: Side;
  /** The ratio to reach: the peer's time over ours, so that more is better. */
  readonly reach: number;
  readonly rounds?: number;
  /** Rounds of each side that do not count. */
  readonly warmUp?: number;
  /** The work of a round, to print a rate: 10240 'images'. */
  readonly work?: { readonly amount: number; readonly unit: string };
}

/** Seconds per round. */
export interface Measured {
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  /** Of the medians, the peer's over ours. */
  readonly ratio: number;
  readonly reached: boolean;
}

/**
 * Runs both sides in turns, so that other load on the machine falls on both; the side that begins changes every round.
 * Prints both times, the ratio of medians with the spread over rounds, and last `NAME ratio X.XX (reach Y.YY)`.
 */
export async function compare({
  name,
  ours,
  peer,
  reach,
  rounds = 15,
  warmUp = 2,
  work,
}: Comparison): Promise<Measured> {
  console.log(machine());
  console.log(`${ours.name} and ${peer.name}, ${rounds} rounds in turns`);
  const times: Record<'ours' | 'peer', number[]> = { ours: [], peer: [] };
  try {
    for (let round = -warmUp; round < rounds; round++) {
      const order = [['ours', ours] as const, ['peer', peer] as const];
      if (round % 2 !== 0) order.reverse();
      for (const [key, side] of order) {
        await setTimeout(pause); // a runtime's threads spin for a while after their work: not in the other's round
        const seconds = await side.round(round + warmUp);
        if (round >= 0) times[key].push(seconds);
      }
    }
  } finally {
    ours.close?.();
    peer.close?.();
  }
  for (const [key, side] of [['ours', ours] as const, ['peer', peer] as const]) {
    const rate = work === undefined ? '' : `, ${(work.amount / median(times[key])).toFixed(0)} ${work.unit}/s`;
    console.log(`${side.name}: median ${seconds(median(times[key]))}, ${spread(times[key], seconds)}${rate}`);
  }
  const ratios = times.peer.map((time, i) => time / times.ours[i]!);
  const ratio = median(times.peer) / median(times.ours);
  console.log(`ratio of medians ${ratio.toFixed(2)}; by round ${spread(ratios, (x) => x.toFixed(2))}`);
  console.log(`${name} ratio ${ratio.toFixed(2)} (reach ${reach.toFixed(2)})`);
  return { ...times, ratio, reached: ratio >= reach };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2;
}

/** Quartiles and extremes, as text. */
export function spread(values: readonly number[], show: (value: number) => string): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => show(sorted[Math.round(part * (sorted.length - 1))]!);
  return `quartiles ${at(0.25)} to ${at(0.75)}, all ${at(0)} to ${at(1)}`;
}

/** The machine. */
export function machine(): string {
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${gigabytes} GiB, Node ${process.version}`;
}

const seconds = (value: number): string => (value < 1 ? `${(value * 1e3).toFixed(1)} ms` : `${value.toFixed(2)} s`);

/** The answer of a Python peer to one line. */
export interface Answer {
  readonly seconds: number;
  readonly [more: string]: unknown;
}

/** A process at work: it says `{"ready": …}` once, then answers every line with one line of JSON. */
export interface LinePeer {
  readonly ready: string;
  ask(line: string): Promise<Answer>;
  close(): void;
}

/**
 * Starts a peer under the interpreter that `WEIR_PYTHON` names.
 *
 * @returns undefined where that is not set: the benchmark then says so, and measures our side alone if it can
 */
export async function pythonPeer(script: string, args: readonly string[]): Promise<LinePeer | undefined> {
  const python = process.env.WEIR_PYTHON;
  if (!python) {
    console.log('WEIR_PYTHON is not set: name a Python that has PyTorch, and the peer runs beside');
    return undefined;
  }
  return linePeer([python, new URL(`peers/${script}`, import.meta.url).pathname, ...args]);
}

/** A Python peer that takes tensors in files, and the folder for them. */
export interface FilesPeer {
  readonly python: LinePeer;
  readonly folder: string;
}

/**
 * Measures differences beside a peer in Python that takes and gives tensors in files, and prints the largest and its reach.
 *
 * @param options.threads of ours, where none are set @param measure gives the differences that count @returns whether the largest is within reach
 */
export async function besidePyTorch(
  name: string,
  { reach, threads, note = '' }: { readonly reach: number; readonly threads: number; readonly note?: string },
  measure: (peer: FilesPeer) => Promise<readonly number[]>,
): Promise<boolean> {
  const python = await pythonPeer(`${name.replaceAll('-', '_')}.py`, []);
  if (python === undefined) return false;
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const folder = mkdtempSync(join(tmpdir(), `weir-${name}-`));
  console.log(machine());
  console.log(`Weir (TensorFlow ${runtime.version}) and ${python.ready}${note}`);
  try {
    const worst = Math.max(...(await measure({ python, folder })));
    if (worst === Number.NEGATIVE_INFINITY) return true; // none counts
    console.log(`${name} difference ${worst.toExponential(1)} (reach ${reach.toExponential(1)})`);
    return worst <= reach;
  } finally {
    python.close();
    rmSync(folder, { recursive: true });
  }
}

/** Starts a process that answers lines, with further variables in its environment. */
export async function linePeer(
  [command, ...args]: readonly [string, ...string[]],
  variables: NodeJS.ProcessEnv = {},
): Promise<LinePeer> {
  const env = { ...process.env, ...variables };
  const child: ChildProcess = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const line = await lines.next();
    if (line.done) throw new Error(`${[command, ...args].join(' ')} ended before it answered`);
    return JSON.parse(line.value);
  };
  const { ready } = await answer();
  return {
    ready: String(ready),
    async ask(line) {
      child.stdin!.write(`${line}\n`);
      return (await answer()) as Answer;
    },
    close: () => child.stdin!.end(),
  };
}

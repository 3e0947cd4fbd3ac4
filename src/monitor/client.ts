import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { WeirError } from '../flow/errors.js';
import { holderOf } from '../storage/lock.js';
import { RunFolder } from '../storage/run-folder.js';
import { type Note, readNote } from './control-socket.js';
import type { ArraysAs } from './taps.js';

const patience = 5000; // milliseconds

/** One answer of a run's control server. */
export interface Reached {
  readonly answer: IncomingMessage;
  /** Its lines, as they come. */
  readonly lines: AsyncIterable<string>;
  close(): void;
}

/**
 * Asks the process that works on a run, through its socket.
 *
 * @throws {WeirError} where none does, it is another user's, or it refuses
 */
export async function reach(run: string, method: 'GET' | 'POST', path: string): Promise<Reached> {
  const folder = RunFolder.open(run);
  const holder = holderOf(run);
  if (holder?.alive !== true) {
    throw new WeirError(
      `the run in ${folder.shown} is not running on this machine`,
      'start it, or `weir resume` it, first',
    );
  }
  const note = await noteOf(run, holder.mark.pid);
  if (note === undefined) {
    throw new WeirError(
      `process ${holder.mark.pid} works on ${folder.shown}, but cannot be reached`,
      'only the user who started it can, once it has begun',
    );
  }
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { Host: 'localhost', 'X-Weir-Token': note.token };
    const asked = request({ socketPath: note.socket, method, path, headers });
    asked.on('response', resolve);
    asked.on('error', (cause) =>
      reject(
        new WeirError(
          `${folder.shown} cannot be reached: ${(cause as NodeJS.ErrnoException).code}`,
          'ask again in a moment',
          { cause },
        ),
      ),
    );
    asked.end();
  });
  if (answer.statusCode! >= 400) throw await refusal(answer);
  return {
    answer,
    lines: createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY }),
    close: () => answer.destroy(),
  };
}

/** A run that has just begun is not listening yet: its note is waited for, a little. */
async function noteOf(run: string, pid: number): Promise<Note | undefined> {
  for (const until = performance.now() + patience; ; ) {
    const note = readNote(run);
    if (note?.pid === pid) return note;
    if (performance.now() > until) return undefined;
    await setTimeout(100);
  }
}

async function refusal(answer: IncomingMessage): Promise<WeirError> {
  let text = '';
  for await (const piece of answer) text += piece;
  const { message, remedy } = JSON.parse(text) as { message: string; remedy?: string };
  return new WeirError(message, remedy);
}

export interface TapAsked {
  readonly edge: string;
  /** `latest`, `sample:EVERY` or `buffer:SIZE`. */
  readonly policy: string;
  readonly rate?: number;
  readonly arrays: ArraysAs;
}

/** A line of a tap: an item as JSON, and how many had to make way until then. */
export interface TapLine {
  readonly position: number;
  readonly time: number;
  readonly dropped: number;
  readonly item: unknown;
}

/**
 * What passes an edge of a run that is under way, item by item, until the run ends or `close`.
 *
 * @throws {WeirError} where the run cannot be reached, or has no such edge (it lists those that there are)
 */
export async function tapped(
  run: string,
  { edge, policy, rate, arrays }: TapAsked,
): Promise<{ readonly items: AsyncIterable<TapLine>; close(): void }> {
  const query = new URLSearchParams({ edge, policy, arrays, ...(rate !== undefined && { rate: String(rate) }) });
  const { lines, close } = await reach(run, 'GET', `/api/tap?${query}`);
  async function* items(): AsyncGenerator<TapLine> {
    try {
      for await (const line of lines) {
        const parsed = JSON.parse(line) as TapLine | { readonly end: true };
        if ('end' in parsed) return;
        yield parsed;
      }
    } catch (error) {
      // The process was killed: what came is all there is.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }
  return { items: items(), close };
}

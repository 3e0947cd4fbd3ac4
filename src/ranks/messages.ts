/**
 * Messages between ranks and supervisors, and what checks those that come from a port. Any process that reaches such a port can send any
 * text: a value without the shape of a message is ignored, and texts that a terminal will show lose their control characters.
 *
 * @module
 */

import { isRecord } from '../flow/data.js';

/** A message of a rank's process to its supervisor. */
export type RankReport =
  /** The rank is at a barrier after this update. */
  | { readonly kind: 'barrier'; readonly update: number }
  /** The rank begins a collective, numbered from 1, and waits in it for the other ranks. */
  | { readonly kind: 'collective'; readonly calls: number }
  /** The rank ends because another rank is gone; `why` is TensorFlow's reason. */
  | { readonly kind: 'lost'; readonly why?: string };

/**
 * Sends a report to the supervisor; does nothing where this process has none. The supervisor may have been killed a moment ago: the
 * callback takes the error of the closed channel (EPIPE), which would end this process before 'disconnect' lets it stop in order.
 */
export const reportToSupervisor = (report: RankReport): void => {
  if (process.connected) process.send?.(report, undefined, undefined, () => undefined);
};

/** How the process of a rank ended: by an exit status or by a signal. */
export interface ProcessExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An event of one rank, as the failure detector receives it. */
export type RankEvent =
  | RankReport
  | ({ readonly kind: 'exit' } & ProcessExit)
  /** The rank's supervisor cannot be reached; `how` ends a sentence, such as 'is gone'. */
  | { readonly kind: 'missing'; readonly how: string };

/** The exit status of a run, and the reason where the run is not simply done or stopped. */
export interface Verdict {
  readonly status: number;
  readonly why?: string;
}

/** The request of a supervisor to join the run at the rendezvous. */
export interface JoinRequest {
  readonly rank: number;
  readonly ranks: number;
  /** The version of Weir. */
  readonly weir: string;
  readonly host: string;
  /** The port of the rank's gRPC server. */
  readonly port: number;
}

/** The reply to a request: the addresses of all ranks, or a refusal with its reason. */
export type JoinReply =
  | { readonly refused: string; readonly remedy?: string }
  | { readonly addresses: readonly string[]; readonly hosts: readonly string[] };

export function joinRequestOf(message: unknown): JoinRequest | undefined {
  const { rank, ranks, weir, host, port } = fields(message);
  if (!isWhole(ranks, 2, 2 ** 16) || !isWhole(rank, 1, ranks) || !isWhole(port, 1, 2 ** 16)) return undefined;
  return isText(weir) && isText(host) ? { rank, ranks, weir: plain(weir), host: plain(host), port } : undefined;
}

export function joinReplyOf(message: unknown, ranks: number): JoinReply | undefined {
  const { refused, remedy, addresses, hosts } = fields(message);
  if (isText(refused)) return { refused: plain(refused), ...(isText(remedy) && { remedy: plain(remedy) }) };
  if (!areTexts(addresses, ranks) || !areTexts(hosts, ranks)) return undefined;
  return addresses.every((address) => /^[^,\s]+:\d{1,5}$/.test(address))
    ? { addresses, hosts: hosts.map(plain) }
    : undefined;
}

export function rankReportOf(message: unknown): RankReport | undefined {
  const { kind, update, calls, why } = fields(message);
  if (kind === 'barrier') return isWhole(update, -1) ? { kind, update } : undefined;
  if (kind === 'collective') return isWhole(calls, 0) ? { kind, calls } : undefined;
  if (kind === 'lost') return { kind, ...(isText(why, 2 ** 16) && { why: plain(why) }) };
  return undefined;
}

export function rankEventOf(message: unknown): RankEvent | undefined {
  const { kind, status, signal, how } = fields(message);
  if (kind === 'missing') return isText(how) ? { kind, how: plain(how) } : undefined;
  if (kind !== 'exit') return rankReportOf(message);
  const isStatus = status === null || isWhole(status, -(2 ** 31), 2 ** 32); // below 0 where the process could not be started
  return isStatus && (signal === null || isSignal(signal)) ? { kind, status, signal } : undefined;
}

export function verdictOf(message: unknown): Verdict | undefined {
  const { status, why } = fields(message);
  return isWhole(status, 0, 2 ** 32) ? { status, ...(isText(why) && { why: plain(why) }) } : undefined;
}

/** The fields of a message; none where it is not an object. */
export const fields = (message: unknown): Readonly<Record<string, unknown>> => (isRecord(message) ? message : {});

const isWhole = (value: unknown, from: number, below = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && (value as number) >= from && (value as number) < below;

const isText = (value: unknown, most = 4096): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= most;

const areTexts = (value: unknown, count: number): value is string[] =>
  Array.isArray(value) && value.length === count && value.every((each) => isText(each));

const isSignal = (value: unknown): value is NodeJS.Signals => typeof value === 'string' && /^SIG[A-Z\d]+$/.test(value);

/** Text without control characters, at most 1000 characters long. */
const plain = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').slice(0, 1000);

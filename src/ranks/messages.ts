import { isRecord } from '../flow/data.js';
/** What the process of a rank tells its supervisor. */
export type RankReport =
  /** It is at rest after that update. */
  | { readonly kind: 'at'; readonly update: number }
  /** It begins the collective of that number, counted from 1, and waits for the others there. */
  | { readonly kind: 'waits'; readonly calls: number }
  /** It ends because another rank is gone: `why`, as TensorFlow says it. */
  | { readonly kind: 'lost'; readonly why?: string };

/**
 * Tells the supervisor; without one, nobody. One that was killed a moment ago is nobody too: the callback takes the error (EPIPE, a closed
 * channel) that would end this process otherwise, before 'disconnect' lets it stop in order.
 */
export const reportToSupervisor = (told: RankReport): void => {
  if (process.connected) process.send?.(told, undefined, undefined, () => undefined);
};

/** How the process of a rank ended. */
export interface ProcessExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What is heard of a rank. */
export type RankEvent = RankReport | ({ readonly kind: 'ended' } & ProcessExit) | Missing;

/** Its supervisor cannot be reached: `how`, such as 'is gone'. */
export interface Missing {
  readonly kind: 'missing';
  readonly how: string;
}

/** Exit status of a run, and why it is that where it is not simply done or stopped. */
export interface Verdict {
  readonly status: number;
  readonly why?: string;
}

/** What a supervisor says of its rank when it comes. */
export interface JoinRequest {
  readonly rank: number;
  readonly ranks: number;
  readonly weir: string;
  readonly host: string;
  /** Where the rank is to listen for TensorFlow's gRPC. */
  readonly port: number;
}

/** What rank 0's supervisor answers: where all are, or why this one may not come. */
export type JoinReply =
  | { readonly refused: string; readonly remedy?: string }
  | { readonly addresses: readonly string[]; readonly hosts: readonly string[] };

// Whoever reaches the hub's port can say anything: what has not the shape of a message is none. Texts are shown in a terminal.

export function joinRequestOf(said: unknown): JoinRequest | undefined {
  const { rank, ranks, weir, host, port } = fields(said);
  if (!whole(ranks, 2, 2 ** 16) || !whole(rank, 1, ranks) || !whole(port, 1, 2 ** 16)) return undefined;
  return isText(weir) && isText(host) ? { rank, ranks, weir: plain(weir), host: plain(host), port } : undefined;
}

export function joinReplyOf(said: unknown, ranks: number): JoinReply | undefined {
  const { refused, remedy, addresses, hosts } = fields(said);
  if (isText(refused)) return { refused: plain(refused), ...(isText(remedy) && { remedy: plain(remedy) }) };
  if (!areTexts(addresses, ranks) || !areTexts(hosts, ranks)) return undefined;
  return addresses.every((address) => /^[^,\s]+:\d{1,5}$/.test(address))
    ? { addresses, hosts: hosts.map(plain) }
    : undefined;
}

export function rankReportOf(said: unknown): RankReport | undefined {
  const { kind, update, calls, why } = fields(said);
  if (kind === 'at') return whole(update, -1) ? { kind, update } : undefined;
  if (kind === 'waits') return whole(calls, 0) ? { kind, calls } : undefined;
  if (kind === 'lost') return { kind, ...(isText(why, 2 ** 16) && { why: plain(why) }) };
  return undefined;
}

export function rankEventOf(said: unknown): RankEvent | undefined {
  const { kind, status, signal, how } = fields(said);
  if (kind === 'missing') return isText(how) ? { kind, how: plain(how) } : undefined;
  if (kind !== 'ended') return rankReportOf(said);
  const ofStatus = status === null || whole(status, -(2 ** 31), 2 ** 32); // below 0 where it was not started
  return ofStatus && (signal === null || isSignal(signal)) ? { kind, status, signal } : undefined;
}

export function verdictOf(said: unknown): Verdict | undefined {
  const { status, why } = fields(said);
  return whole(status, 0, 2 ** 32) ? { status, ...(isText(why) && { why: plain(why) }) } : undefined;
}

export const fields = (said: unknown): Readonly<Record<string, unknown>> => (isRecord(said) ? said : {});

const whole = (value: unknown, from: number, below = Number.MAX_SAFE_INTEGER): value is number =>
  Number.isSafeInteger(value) && (value as number) >= from && (value as number) < below;

const isText = (value: unknown, most = 4096): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= most;

const areTexts = (value: unknown, count: number): value is string[] =>
  Array.isArray(value) && value.length === count && value.every((each) => isText(each));

const isSignal = (value: unknown): value is NodeJS.Signals => typeof value === 'string' && /^SIG[A-Z\d]+$/.test(value);

/** Without what a terminal would obey, and not too long to read. */
const plain = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').slice(0, 1000);

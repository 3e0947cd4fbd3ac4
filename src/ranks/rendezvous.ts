import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { version } from '../storage/file-format.js';
import { rankVariable } from '../tensorflow/collectives/rendezvous.js';
import { HeartbeatConnection } from './failure-detector.js';
import { type JoinReply, type JoinRequest, joinReplyOf, joinRequestOf } from './messages.js';

/** Where the supervisors of several machines meet: that of rank 0 listens there. */
export interface RendezvousAddress {
  readonly host: string;
  readonly port: number;
}

/** Which ranks this command is to start, of how many. */
export interface LocalRanks {
  readonly ranks: number;
  readonly own: readonly number[];
  /** None where all of them are this command's. */
  readonly hub?: RendezvousAddress;
}

/**
 * What was asked for: `--ranks N` here, or one rank of several, as `srun` or the variables WEIR_RANK, WEIR_RANKS and WEIR_RENDEZVOUS say;
 * `--ranks 1` makes it one by itself there too.
 *
 * @param before how many it was begun with: taken where nothing else is said
 * @returns nothing where the command is to run by itself, or is itself the process of a rank
 * @throws {WeirError} where the variables are no such place, or say another number than was asked for
 */
export function localRanksOf(
  asked: number | undefined,
  env: NodeJS.ProcessEnv,
  before?: number,
): LocalRanks | undefined {
  if (env[rankVariable] || asked === 1) return undefined;
  const { WEIR_RANK, WEIR_RANKS, WEIR_RENDEZVOUS } = env;
  if (WEIR_RANK || WEIR_RANKS) {
    const [rank, ranks] = member('WEIR_RANK', WEIR_RANK || (WEIR_RANKS === '1' ? '0' : ''), 'WEIR_RANKS', WEIR_RANKS);
    agreed(asked, ranks, 'WEIR_RANKS says');
    return ranks === 1 ? undefined : { ranks, own: [rank], hub: rendezvousAddressOf(WEIR_RENDEZVOUS) };
  }
  const tasks = env.SLURM_STEP_NUM_TASKS; // `srun` alone sets it
  if (Number(tasks ?? 1) > 1) {
    const [rank, ranks] = member('SLURM_PROCID', env.SLURM_PROCID, 'SLURM_STEP_NUM_TASKS', tasks);
    agreed(asked, ranks, 'srun started tasks:');
    return {
      ranks,
      own: [rank],
      hub: WEIR_RENDEZVOUS ? rendezvousAddressOf(WEIR_RENDEZVOUS) : slurmRendezvousAddress(env),
    };
  }
  const ranks = asked ?? before ?? 1;
  return ranks === 1 ? undefined : { ranks, own: Array.from({ length: ranks }, (_, rank) => rank) };
}

function member(one: string, rank = '', all: string, ranks = ''): [rank: number, ranks: number] {
  if (/^\d+$/.test(rank) && /^[1-9]\d*$/.test(ranks) && Number(rank) < Number(ranks))
    return [Number(rank), Number(ranks)];
  throw new WeirError(
    `${one}=${rank} and ${all}=${ranks} are no rank of several`,
    'give the number of ranks, and one from 0 on that is below it',
  );
}

function agreed(asked: number | undefined, ranks: number, says: string): void {
  if (asked === undefined || asked === ranks) return;
  throw new WeirError(
    `--ranks ${asked} was given, but ${says} ${ranks}`,
    'leave --ranks out there: each task is a rank; --ranks 1 makes each run by itself',
  );
}

function rendezvousAddressOf(text = ''): RendezvousAddress {
  const [, host, port] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new WeirError(
    `WEIR_RENDEZVOUS='${text}' is no place to meet`,
    'give the address of the machine of rank 0 and a free port there, as in WEIR_RENDEZVOUS=10.0.0.1:7320',
  );
}

/** The step's first host, where `srun` puts task 0, and a port that other steps there do not have. */
function slurmRendezvousAddress(env: NodeJS.ProcessEnv): RendezvousAddress {
  const job = Number(env.SLURM_JOB_ID ?? 0);
  const step = Number(env.SLURM_STEP_ID ?? 0);
  return { host: firstHost(env.SLURM_STEP_NODELIST ?? 'localhost'), port: 20_000 + ((101 * job + step) % 10_000) };
}

/** 'rack[1-2]node[07-12,20],b' begins with rack1node07. */
export const firstHost = (list: string): string =>
  /^(\[[^\]]*\]|[^,[])*/.exec(list)![0].replace(/\[(\d+)[^\]]*\]/g, '$1');

/** All ranks, once all have come. */
export interface SupervisorGroup {
  /** `host:port` by rank. */
  readonly addresses: readonly string[];
  readonly hosts: readonly string[];
  /** Rank 0 has a line to every other supervisor; the others have one to rank 0's. */
  readonly lines: ReadonlyMap<number, HeartbeatConnection>;
}

/** `host:port`, an IPv6 address in brackets. */
export const addressOf = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * Where others reach the host that a connection came from. One on the hub's own machine may have come by its loopback, which is another
 * machine to all others: they reach it as they reach the hub.
 */
export function reachable(remote: string, hub: RendezvousAddress): string {
  const plain = remote.replace(/^::ffff:/, '');
  return plain === '::1' || plain.startsWith('127.') ? hub.host : plain;
}

const retry = 250; // milliseconds

/** Goes to the hub, and again until it is answered there: rank 0's supervisor may begin later than this one. */
export async function joinRendezvous(
  own: JoinRequest,
  hub: RendezvousAddress,
  seconds: number,
): Promise<SupervisorGroup> {
  const until = performance.now() + 1000 * seconds;
  let unresolved = false;
  while (performance.now() < until) {
    const answered = await ask(own, hub, until - performance.now());
    unresolved = answered === 'unresolved';
    if (answered !== undefined && answered !== 'unresolved') {
      const { answer, line } = answered;
      if ('addresses' in answer) return { ...answer, lines: new Map([[0, line]]) };
      line.destroy();
      throw new WeirError(answer.refused, answer.remedy);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(retry, until - performance.now())));
  }
  if (unresolved) throw unknown(own, hub);
  throw new WeirError(
    `rank ${own.rank} got no answer from rank 0 at ${addressOf(hub.host, hub.port)} within ${seconds} seconds`,
    'see that rank 0 is started, and that no firewall stands between; --ranks-wait SECONDS waits longer',
  );
}

/** What was answered, by the line that stays open; 'unresolved' where nobody knows the host's name for now. */
type Asked = { readonly answer: JoinReply; readonly line: HeartbeatConnection } | 'unresolved' | undefined;

/** Asks once, for no longer than that: a firewall may swallow the first packet, and a stranger at the port keep silent. */
function ask(own: JoinRequest, hub: RendezvousAddress, milliseconds: number): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const socket = connect(hub.port, hub.host);
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    const line = new HeartbeatConnection(socket);
    line.send(own); // goes once it is connected
    line.once('said', (said) => {
      clearTimeout(timer);
      const answer = joinReplyOf(said, own.ranks);
      if (answer === undefined) line.destroy();
      else resolve({ answer, line });
    });
    line.once('gone', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOTFOUND') reject(unknown(own, hub, cause));
      if (cause.code === 'EAI_AGAIN') resolve('unresolved'); // the name server may come; the rest may pass too
    });
  });
}

const unknown = (own: JoinRequest, hub: RendezvousAddress, cause?: Error): WeirError =>
  new WeirError(
    `rank ${own.rank} cannot find the host '${hub.host}' of rank 0`,
    'give its address as WEIR_RENDEZVOUS=HOST:PORT',
    cause && { cause },
  );

const most = 256; // connections that have not said who they are
const toSay = 5000; // milliseconds until one must have

/** Waits at the hub until the supervisors of all other ranks have come; whoever else comes there is sent away. */
export async function hostRendezvous(
  own: JoinRequest,
  hub: RendezvousAddress,
  seconds: number,
): Promise<SupervisorGroup> {
  const meeting = new RendezvousHost(own, hub);
  const server = createServer((socket) => meeting.enter(socket));
  try {
    server.listen(hub.port);
    await once(server, 'listening');
  } catch (cause) {
    throw new WeirError(
      `rank 0 cannot wait for the others at port ${hub.port}: ${(cause as NodeJS.ErrnoException).code}`,
      'another run may be using it: give a free port as WEIR_RENDEZVOUS=HOST:PORT to all ranks',
      { cause },
    );
  }
  const timer = setTimeout(() => meeting.giveUp(seconds), 1000 * seconds);
  try {
    return await meeting.over;
  } finally {
    clearTimeout(timer);
    server.close();
  }
}

interface Member {
  readonly hello: JoinRequest;
  readonly line: HeartbeatConnection;
  readonly address: string;
}

class RendezvousHost {
  private readonly here = new Map<number, Member>();
  private readonly strangers = new Set<HeartbeatConnection>();
  private resolve!: (met: SupervisorGroup) => void;
  private reject!: (error: WeirError) => void;
  readonly over = new Promise<SupervisorGroup>((resolve, reject) => Object.assign(this, { resolve, reject }));

  constructor(
    private readonly own: JoinRequest,
    private readonly hub: RendezvousAddress,
  ) {}

  enter(socket: Socket): void {
    const { remoteAddress } = socket;
    if (this.strangers.size >= most || remoteAddress === undefined) {
      socket.on('error', () => undefined).destroy();
      return;
    }
    const line = new HeartbeatConnection(socket);
    this.strangers.add(line);
    const timer = setTimeout(() => line.destroy(), toSay);
    const known = (): void => {
      clearTimeout(timer);
      this.strangers.delete(line);
    };
    line.once('gone', known);
    line.once('said', (said) => {
      known();
      const hello = joinRequestOf(said);
      if (hello === undefined) line.destroy();
      else this.greet({ hello, line, address: addressOf(reachable(remoteAddress, this.hub), hello.port) });
    });
  }

  giveUp(seconds: number): void {
    const { own, hub, here } = this;
    const missing = Array.from({ length: own.ranks - 1 }, (_, i) => i + 1).filter((rank) => !here.has(rank));
    const which = missing.length === 1 ? `rank ${missing[0]}` : `ranks ${missing.join(', ')}`;
    this.refuse(
      `${which} of ${own.ranks} did not come to ${addressOf(hub.host, hub.port)} within ${seconds} seconds`,
      'see why they did not start there; --ranks-wait SECONDS waits longer',
    );
  }

  private greet(guest: Member): void {
    const { own, here } = this;
    const { hello, line } = guest;
    const name = `rank ${hello.rank} on ${hello.host}`;
    if (hello.weir !== own.weir || hello.ranks !== own.ranks) {
      const [what, theirs, mine] =
        hello.weir === own.weir ? ['ranks', hello.ranks, own.ranks] : ['Weir', hello.weir, own.weir];
      const why = `${name} was started with ${what} ${theirs}, and rank 0 with ${what} ${mine}`;
      this.refuse(why, 'start all ranks alike', line);
      return;
    }
    if (here.has(hello.rank)) {
      this.refuse(`${name} came, but that rank is taken`, 'give each process another WEIR_RANK, from 0 on', line);
      return;
    }
    here.set(hello.rank, guest);
    line.once('gone', () => {
      if (here.get(hello.rank) === guest) here.delete(hello.rank); // it may come again
    });
    if (here.size === own.ranks - 1) this.conclude();
  }

  private conclude(): void {
    const { own, hub } = this;
    const guests = [...this.here].sort(([a], [b]) => a - b).map(([, guest]) => guest);
    const addresses = [addressOf(hub.host, own.port), ...guests.map(({ address }) => address)];
    const hosts = [own.host, ...guests.map(({ hello }) => hello.host)];
    for (const { line } of guests) line.send({ addresses, hosts });
    this.clear();
    this.resolve({ addresses, hosts, lines: new Map(guests.map(({ hello, line }) => [hello.rank, line])) });
  }

  /** Ends the start for all that have come, and for `odd`, which does not fit. */
  private refuse(why: string, remedy: string, odd?: HeartbeatConnection): void {
    for (const line of [...[...this.here.values()].map((guest) => guest.line), ...(odd ? [odd] : [])]) {
      line.send({ refused: why, remedy });
      line.close();
    }
    this.clear();
    this.reject(new WeirError(why, remedy));
  }

  private clear(): void {
    for (const line of this.strangers) line.destroy();
  }
}

/**
 * Brings the supervisors of all ranks together, each rank on a machine of its own or not. Their lines stay open: by them each hears how
 * the others are.
 *
 * @param port where this rank is to listen for TensorFlow's gRPC
 * @param seconds how long to wait for the others
 * @throws {WeirError} names a rank that does not come or does not fit, a port in use, and a host that does not resolve
 */
export function rendezvous(
  { ranks, own }: LocalRanks,
  hub: RendezvousAddress,
  port: number,
  seconds: number,
): Promise<SupervisorGroup> {
  const hello: JoinRequest = { rank: own[0]!, ranks, weir: version, host: hostname(), port };
  return hello.rank === 0 ? hostRendezvous(hello, hub, seconds) : joinRendezvous(hello, hub, seconds);
}

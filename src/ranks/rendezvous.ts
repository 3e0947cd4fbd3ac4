import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { version } from '../storage/file-format.js';
import { rankVariable } from '../tensorflow/collectives/rendezvous.js';
import { HeartbeatConnection } from './failure-detector.js';
import { type JoinReply, type JoinRequest, joinReplyOf, joinRequestOf } from './messages.js';

/** Where the supervisors of several machines find each other: that of rank 0 listens there. */
export interface RendezvousAddress {
  readonly host: string;
  readonly port: number;
}

/** The ranks that this command starts, of how many. */
export interface LocalRanks {
  readonly ranks: number;
  readonly own: readonly number[];
  /** Left out where this command starts all ranks. */
  readonly rendezvous?: RendezvousAddress;
}

/**
 * The ranks that this command is to start: all of them with `--ranks N`; one of several where `srun`, or the variables WEIR_RANK,
 * WEIR_RANKS and WEIR_RENDEZVOUS, say so. `--ranks 1` makes the command a run by itself there too.
 *
 * @param asked the value of `--ranks`
 * @param before how many ranks the run was begun with, used where nothing else is said
 * @returns undefined where the command is to run by itself, or is itself the process of a rank
 * @throws {WeirError} where the variables name no rank, or contradict `--ranks`
 */
export function localRanksOf(
  asked: number | undefined,
  env: NodeJS.ProcessEnv,
  before?: number,
): LocalRanks | undefined {
  if (env[rankVariable] || asked === 1) return undefined;
  const { WEIR_RANK, WEIR_RANKS, WEIR_RENDEZVOUS } = env;
  if (WEIR_RANK || WEIR_RANKS) {
    const own = WEIR_RANK || (WEIR_RANKS === '1' ? '0' : '');
    const [rank, ranks] = rankOf('WEIR_RANK', own, 'WEIR_RANKS', WEIR_RANKS);
    checkCount(asked, ranks, 'WEIR_RANKS says');
    return ranks === 1 ? undefined : { ranks, own: [rank], rendezvous: rendezvousAddressOf(WEIR_RENDEZVOUS) };
  }
  const tasks = env.SLURM_STEP_NUM_TASKS; // set by `srun` alone
  if (Number(tasks ?? 1) > 1) {
    const [rank, ranks] = rankOf('SLURM_PROCID', env.SLURM_PROCID, 'SLURM_STEP_NUM_TASKS', tasks);
    checkCount(asked, ranks, 'srun started tasks:');
    const rendezvous = WEIR_RENDEZVOUS ? rendezvousAddressOf(WEIR_RENDEZVOUS) : slurmRendezvousAddress(env);
    return { ranks, own: [rank], rendezvous };
  }
  const ranks = asked ?? before ?? 1;
  return ranks === 1 ? undefined : { ranks, own: Array.from({ length: ranks }, (_, rank) => rank) };
}

function rankOf(variable: string, rank = '', countVariable: string, count = ''): [rank: number, ranks: number] {
  if (/^\d+$/.test(rank) && /^[1-9]\d*$/.test(count) && Number(rank) < Number(count))
    return [Number(rank), Number(count)];
  throw new WeirError(
    `${variable}=${rank} and ${countVariable}=${count} name no rank`,
    'give the number of ranks, and a rank from 0 on that is below it',
  );
}

function checkCount(asked: number | undefined, ranks: number, says: string): void {
  if (asked === undefined || asked === ranks) return;
  throw new WeirError(
    `--ranks ${asked} was given, but ${says} ${ranks}`,
    'leave --ranks out there: each task is a rank; --ranks 1 makes each task a run by itself',
  );
}

function rendezvousAddressOf(text = ''): RendezvousAddress {
  const [, host, port] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new WeirError(
    `WEIR_RENDEZVOUS='${text}' is no address`,
    'give the address of the machine of rank 0 and a free port there, as in WEIR_RENDEZVOUS=10.0.0.1:7320',
  );
}

/** The first host of the Slurm step, on which `srun` starts task 0, and a port that depends on the step. */
function slurmRendezvousAddress(env: NodeJS.ProcessEnv): RendezvousAddress {
  const job = Number(env.SLURM_JOB_ID ?? 0);
  const step = Number(env.SLURM_STEP_ID ?? 0);
  return { host: firstHost(env.SLURM_STEP_NODELIST ?? 'localhost'), port: 20_000 + ((101 * job + step) % 10_000) };
}

/** The first host of a Slurm list: 'rack1node07' of 'rack[1-2]node[07-12,20],b'. */
export const firstHost = (list: string): string =>
  /^(\[[^\]]*\]|[^,[])*/.exec(list)![0].replace(/\[(\d+)[^\]]*\]/g, '$1');

/** The supervisors of all ranks, once all have joined. */
export interface SupervisorGroup {
  /** `host:port` of TensorFlow's gRPC server, by rank. */
  readonly addresses: readonly string[];
  readonly hosts: readonly string[];
  /** Open connections by rank: rank 0 has one to every other supervisor, the others have one to rank 0's. */
  readonly connections: ReadonlyMap<number, HeartbeatConnection>;
}

/**
 * Joins the supervisors of all ranks, on one machine or several. Their connections stay open and carry heartbeats.
 *
 * @param port where this rank's gRPC server is to listen
 * @param seconds how long to wait for the other ranks
 * @throws {WeirError} names a rank that does not come or was started differently, a port in use, a host that does not resolve
 */
export function rendezvous(
  { ranks, own }: LocalRanks,
  address: RendezvousAddress,
  port: number,
  seconds: number,
): Promise<SupervisorGroup> {
  const request: JoinRequest = { rank: own[0]!, ranks, weir: version, host: hostname(), port };
  return request.rank === 0 ? hostRendezvous(request, address, seconds) : joinRendezvous(request, address, seconds);
}

const retry = 250; // milliseconds

/** Asks at the rendezvous until a reply comes: rank 0's supervisor may start later than this one. */
async function joinRendezvous(
  request: JoinRequest,
  address: RendezvousAddress,
  seconds: number,
): Promise<SupervisorGroup> {
  const until = performance.now() + 1000 * seconds;
  let unresolved = false;
  while (performance.now() < until) {
    const joined = await ask(request, address, until - performance.now());
    unresolved = joined === 'unresolved';
    if (joined !== undefined && joined !== 'unresolved') {
      const { reply, connection } = joined;
      if ('addresses' in reply) return { ...reply, connections: new Map([[0, connection]]) };
      connection.destroy();
      throw new WeirError(reply.refused, reply.remedy);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(retry, until - performance.now())));
  }
  if (unresolved) throw unknownHost(request, address);
  throw new WeirError(
    `rank ${request.rank} got no answer from rank 0 at ${addressOf(address.host, address.port)} within ${seconds} seconds`,
    'check that rank 0 was started, and that no firewall is in between; --ranks-wait SECONDS waits longer',
  );
}

/** The reply and the connection that stays open; 'unresolved' while the host's name cannot be looked up. */
type Joined = { readonly reply: JoinReply; readonly connection: HeartbeatConnection } | 'unresolved' | undefined;

/** Asks once and gives up after that time: a firewall may drop packets, or another program may listen there and stay silent. */
function ask(request: JoinRequest, address: RendezvousAddress, milliseconds: number): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address.port, address.host);
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    const connection = new HeartbeatConnection(socket);
    connection.send(request); // sent once the socket is connected
    connection.once('message', (message) => {
      clearTimeout(timer);
      const reply = joinReplyOf(message, request.ranks);
      if (reply === undefined) connection.destroy();
      else resolve({ reply, connection });
    });
    connection.once('closed', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOTFOUND') reject(unknownHost(request, address, cause));
      if (cause.code === 'EAI_AGAIN') resolve('unresolved'); // the name server may answer later, as other errors may pass
    });
  });
}

const unknownHost = (request: JoinRequest, address: RendezvousAddress, cause?: Error): WeirError =>
  new WeirError(
    `rank ${request.rank} cannot find the host '${address.host}' of rank 0`,
    'give its address as WEIR_RENDEZVOUS=HOST:PORT',
    cause && { cause },
  );

const mostSilent = 256; // connections that have sent no request yet
const requestWithin = 5000; // milliseconds

/** Listens as rank 0's supervisor until those of all other ranks have joined; any other connection is closed. */
async function hostRendezvous(own: JoinRequest, address: RendezvousAddress, seconds: number): Promise<SupervisorGroup> {
  const host = new RendezvousHost(own, address);
  const server = createServer((socket) => host.accept(socket));
  try {
    server.listen(address.port);
    await once(server, 'listening');
  } catch (cause) {
    throw new WeirError(
      `rank 0 cannot wait for the others at port ${address.port}: ${(cause as NodeJS.ErrnoException).code}`,
      'another run may be using it: give a free port as WEIR_RENDEZVOUS=HOST:PORT to all ranks',
      { cause },
    );
  }
  const timer = setTimeout(() => host.giveUp(seconds), 1000 * seconds);
  try {
    return await host.group;
  } finally {
    clearTimeout(timer);
    server.close();
  }
}

interface Member {
  readonly request: JoinRequest;
  readonly connection: HeartbeatConnection;
  readonly address: string;
}

/** The side of the rendezvous that admits other ranks. */
class RendezvousHost {
  private readonly members = new Map<number, Member>();
  private readonly silent = new Set<HeartbeatConnection>();
  private resolve!: (group: SupervisorGroup) => void;
  private reject!: (error: WeirError) => void;
  readonly group = new Promise<SupervisorGroup>((resolve, reject) => Object.assign(this, { resolve, reject }));

  constructor(
    private readonly own: JoinRequest,
    private readonly address: RendezvousAddress,
  ) {}

  accept(socket: Socket): void {
    const { remoteAddress } = socket;
    if (this.silent.size >= mostSilent || remoteAddress === undefined) {
      socket.on('error', () => undefined).destroy();
      return;
    }
    const connection = new HeartbeatConnection(socket);
    this.silent.add(connection);
    const timer = setTimeout(() => connection.destroy(), requestWithin);
    const forget = (): void => {
      clearTimeout(timer);
      this.silent.delete(connection);
    };
    connection.once('closed', forget);
    connection.once('message', (message) => {
      forget();
      const request = joinRequestOf(message);
      if (request === undefined) connection.destroy();
      else
        this.admit({ request, connection, address: addressOf(reachable(remoteAddress, this.address), request.port) });
    });
  }

  giveUp(seconds: number): void {
    const { own, address, members } = this;
    const missing = Array.from({ length: own.ranks - 1 }, (_, i) => i + 1).filter((rank) => !members.has(rank));
    const which = missing.length === 1 ? `rank ${missing[0]}` : `ranks ${missing.join(', ')}`;
    this.refuse(
      `${which} of ${own.ranks} did not come to ${addressOf(address.host, address.port)} within ${seconds} seconds`,
      'find out why they did not start there; --ranks-wait SECONDS waits longer',
    );
  }

  private admit(member: Member): void {
    const { own, members } = this;
    const { request, connection } = member;
    const name = `rank ${request.rank} on ${request.host}`;
    if (request.weir !== own.weir || request.ranks !== own.ranks) {
      const [what, theirs, mine] =
        request.weir === own.weir ? ['ranks', request.ranks, own.ranks] : ['Weir', request.weir, own.weir];
      const why = `${name} was started with ${what} ${theirs}, and rank 0 with ${what} ${mine}`;
      this.refuse(why, 'start all ranks alike', connection);
      return;
    }
    if (members.has(request.rank)) {
      this.refuse(`${name} came, but that rank is taken`, 'give each process another WEIR_RANK, from 0 on', connection);
      return;
    }
    members.set(request.rank, member);
    connection.once('closed', () => {
      if (members.get(request.rank) === member) members.delete(request.rank); // it may join again
    });
    if (members.size === own.ranks - 1) this.conclude();
  }

  private conclude(): void {
    const { own, address } = this;
    const members = [...this.members].sort(([a], [b]) => a - b).map(([, member]) => member);
    const addresses = [addressOf(address.host, own.port), ...members.map((member) => member.address)];
    const hosts = [own.host, ...members.map(({ request }) => request.host)];
    for (const { connection } of members) connection.send({ addresses, hosts });
    this.closeSilent();
    const connections = new Map(members.map(({ request, connection }) => [request.rank, connection]));
    this.resolve({ addresses, hosts, connections });
  }

  /** Ends the rendezvous for all members, and for `refused`, which is not one. */
  private refuse(why: string, remedy: string, refused?: HeartbeatConnection): void {
    for (const connection of [...[...this.members.values()].map((member) => member.connection), refused]) {
      connection?.send({ refused: why, remedy });
      connection?.close();
    }
    this.closeSilent();
    this.reject(new WeirError(why, remedy));
  }

  private closeSilent(): void {
    for (const connection of this.silent) connection.destroy();
  }
}

/** `host:port`, an IPv6 address in brackets. */
export const addressOf = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * The host by which all ranks reach the one that this connection came from. A connection of the rendezvous' own machine may come from its
 * loopback address, which means another machine to every other rank: the host of the rendezvous takes its place.
 */
export function reachable(remote: string, rendezvous: RendezvousAddress): string {
  const plain = remote.replace(/^::ffff:/, '');
  return plain === '::1' || plain.startsWith('127.') ? rendezvous.host : plain;
}

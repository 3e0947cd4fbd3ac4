import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { WeirError } from '../flow/errors.js';
import { addressOf, reachable } from './address.js';
import { HeartbeatConnection } from './line.js';
import type { ProcessGroup } from './met.js';
import type { RendezvousAddress } from './place.js';
import { type Hello, helloOf } from './ranks-messages.js';

const most = 256; // connections that have not said who they are
const toSay = 5000; // milliseconds until one must have

/** Waits at the hub until the supervisors of all other ranks have come; whoever else comes there is sent away. */
export async function hostRendezvous(own: Hello, hub: RendezvousAddress, seconds: number): Promise<ProcessGroup> {
  const meeting = new RendezvousHost(own, hub);
  const server = createServer((socket) => meeting.enter(socket));
  try {
    server.listen(hub.port);
    await once(server, 'listening');
  } catch (cause) {
    throw new WeirError(
      `rank 0 cannot wait for the others at port ${hub.port}: ${(cause as NodeJS.ErrnoException).code}`,
      'another run may be using it: give a free port as WEIR_HUB=HOST:PORT to all ranks',
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
  readonly hello: Hello;
  readonly line: HeartbeatConnection;
  readonly address: string;
}

class RendezvousHost {
  private readonly here = new Map<number, Member>();
  private readonly strangers = new Set<HeartbeatConnection>();
  private resolve!: (met: ProcessGroup) => void;
  private reject!: (error: WeirError) => void;
  readonly over = new Promise<ProcessGroup>((resolve, reject) => Object.assign(this, { resolve, reject }));

  constructor(
    private readonly own: Hello,
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
      const hello = helloOf(said);
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

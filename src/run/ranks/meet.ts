import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { WeirError } from '../../core/errors.js';
import { version } from '../version.js';
import { Line } from './line.js';
import type { Hub, Place } from './place.js';

/** What a supervisor says of its rank when it comes. */
interface Hello {
  readonly rank: number;
  readonly ranks: number;
  readonly weir: string;
  readonly host: string;
  /** Where the rank is to listen for TensorFlow's gRPC. */
  readonly port: number;
}

/** All ranks, once all have come. */
export interface Met {
  /** `host:port` by rank. */
  readonly addresses: readonly string[];
  readonly hosts: readonly string[];
  /** Rank 0 has a line to every other supervisor; the others have one to rank 0's. */
  readonly lines: ReadonlyMap<number, Line>;
}

const retry = 250; // milliseconds

/**
 * Brings the supervisors of all ranks together, each rank on a machine of its own or not. Their lines stay open: by them each hears how
 * the others are.
 *
 * @param port where this rank is to listen for TensorFlow's gRPC
 * @param seconds how long to wait for the others
 * @throws {WeirError} names a rank that does not come or does not fit, a port in use, and a host that does not resolve
 */
export function meet({ ranks, own }: Place, hub: Hub, port: number, seconds: number): Promise<Met> {
  const hello: Hello = { rank: own[0]!, ranks, weir: version, host: hostname(), port };
  const until = performance.now() + 1000 * seconds;
  return hello.rank === 0 ? receive(hello, hub, until, seconds) : come(hello, hub, until, seconds);
}

async function receive(own: Hello, hub: Hub, until: number, seconds: number): Promise<Met> {
  const here = new Map<number, { readonly hello: Hello; readonly line: Line; readonly address: string }>();
  const server = createServer();
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
  try {
    await new Promise<void>((resolve, reject) => {
      const refuse = (line: Line | undefined, why: string, remedy: string): void => {
        clearTimeout(timer);
        for (const each of [...here.values()].map((one) => one.line).concat(line ?? []))
          each.send({ refused: why, remedy });
        reject(new WeirError(why, remedy));
      };
      const timer = setTimeout(() => {
        const missing = Array.from({ length: own.ranks - 1 }, (_, i) => i + 1).filter((rank) => !here.has(rank));
        const which = missing.length === 1 ? `rank ${missing[0]}` : `ranks ${missing.join(', ')}`;
        refuse(
          undefined,
          `${which} of ${own.ranks} did not come to ${hub.host}:${hub.port} within ${seconds} seconds`,
          'see why they did not start there; --ranks-wait SECONDS waits longer',
        );
      }, until - performance.now());
      server.on('connection', (socket: Socket) => {
        const line = new Line(socket);
        line.once('said', (said) => {
          const hello = said as Hello;
          const name = `rank ${hello.rank} on ${hello.host}`;
          if (hello.weir !== own.weir || hello.ranks !== own.ranks) {
            const [what, theirs, mine] =
              hello.weir === own.weir ? ['ranks', hello.ranks, own.ranks] : ['Weir', hello.weir, own.weir];
            return refuse(
              line,
              `${name} was started with ${what} ${theirs}, and rank 0 with ${what} ${mine}`,
              'start all ranks alike',
            );
          }
          if (hello.rank === 0 || hello.rank >= own.ranks || here.has(hello.rank)) {
            return refuse(
              line,
              `${name} came, but that rank is taken`,
              'give each process another WEIR_RANK, from 0 on',
            );
          }
          here.set(hello.rank, { hello, line, address: `${bracketed(socket.remoteAddress!)}:${hello.port}` });
          if (here.size < own.ranks - 1) return;
          clearTimeout(timer);
          resolve();
        });
      });
    });
  } finally {
    server.close();
  }
  const sorted = [...here].sort(([a], [b]) => a - b).map(([, one]) => one);
  const addresses = [`${hub.host}:${own.port}`, ...sorted.map(({ address }) => address)];
  const hosts = [own.host, ...sorted.map(({ hello }) => hello.host)];
  for (const { line } of sorted) line.send({ addresses, hosts });
  return { addresses, hosts, lines: new Map(sorted.map(({ hello, line }) => [hello.rank, line])) };
}

async function come(own: Hello, hub: Hub, until: number, seconds: number): Promise<Met> {
  for (;;) {
    const socket = connect(hub.port, hub.host);
    try {
      await once(socket, 'connect');
      const line = new Line(socket);
      line.send(own);
      const [said] = (await Promise.race([once(line, 'said'), once(line, 'gone').then(() => [{}])])) as [Answer];
      if (said.refused !== undefined) throw new WeirError(said.refused, said.remedy);
      if (said.addresses !== undefined)
        return { addresses: said.addresses, hosts: said.hosts!, lines: new Map([[0, line]]) };
    } catch (error) {
      socket.destroy();
      if (error instanceof WeirError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTFOUND') {
        throw new WeirError(
          `rank ${own.rank} cannot find the host '${hub.host}' of rank 0`,
          'give its address as WEIR_HUB=HOST:PORT',
          { cause: error },
        );
      }
    }
    if (performance.now() > until) {
      throw new WeirError(
        `rank ${own.rank} got no answer from rank 0 at ${hub.host}:${hub.port} within ${seconds} seconds`,
        'see that rank 0 is started, and that no firewall stands between; --ranks-wait SECONDS waits longer',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, retry));
  }
}

interface Answer {
  readonly refused?: string;
  readonly remedy?: string;
  readonly addresses?: readonly string[];
  readonly hosts?: readonly string[];
}

const bracketed = (address: string): string => {
  const plain = address.replace(/^::ffff:/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
};

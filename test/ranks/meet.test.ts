import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { addressOf, reachable } from '../../src/ranks/address.js';
import { freePorts } from '../../src/ranks/free-ports.js';
import { rendezvous } from '../../src/ranks/meet.js';
import type { ProcessGroup } from '../../src/ranks/met.js';
import { version } from '../../src/storage/version.js';

const opened: (Socket | ProcessGroup)[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) {
    if ('lines' in one) for (const line of one.lines.values()) line.destroy();
    else one.destroy();
  }
});

const come = async (rank: number, ranks: number, port: number, seconds = 5): Promise<ProcessGroup> => {
  const met = await rendezvous({ ranks, own: [rank] }, { host: '127.0.0.1', port }, 4000 + rank, seconds);
  opened.push(met);
  return met;
};

/** Somebody who reaches the hub's port, once it is open, and says that. */
async function stranger(port: number, says = ''): Promise<{ socket: Socket; gone: Promise<unknown> }> {
  for (;;) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    opened.push(socket);
    const open = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('close', resolve));
    if (open !== true) continue;
    socket.resume().write(says);
    return { socket, gone: once(socket, 'close') };
  }
}
const hello = (rank: number, ranks: number): string =>
  `${JSON.stringify({ rank, ranks, weir: version, host: 'x', port: 4000 })}\n`;

describe('the hub', () => {
  test('sends strangers away, whatever they say, and the ranks meet all the same', async () => {
    const [port] = await freePorts(1);
    const zero = come(0, 2, port!);
    const silent = await stranger(port!);
    const odd = await Promise.all(
      ['{}\n', '[]\n', 'GET / HTTP/1.1\r\n\r\n', hello(-7, 2), '{"rank":1,"ranks":2,"port":"1,evil:2"}\n'].map((says) =>
        stranger(port!, says),
      ),
    );
    await Promise.all(odd.map(({ gone }) => gone));
    const [a, b] = await Promise.all([zero, come(1, 2, port!)]);
    expect(a.addresses).toEqual(['127.0.0.1:4000', '127.0.0.1:4001']);
    expect(b.addresses).toEqual(a.addresses);
    await silent.gone; // or it would keep the supervisor alive
  });

  test('lets no more than 256 wait in silence', { timeout: 20_000 }, async () => {
    const [port] = await freePorts(1);
    const zero = come(0, 2, port!, 20);
    const silent = await Promise.all(Array.from({ length: 256 }, () => stranger(port!)));
    const more = await stranger(port!);
    await more.gone;
    expect(silent.filter(({ socket }) => socket.closed)).toEqual([]);
    await Promise.all(silent.map(({ gone }) => gone)); // after five seconds
    await Promise.all([zero, come(1, 2, port!)]);
  });

  test('keeps no place for a supervisor that goes, and names one that comes twice', async () => {
    const [port] = await freePorts(1);
    const zero = come(0, 3, port!);
    const first = await stranger(port!, hello(1, 3));
    await new Promise((resolve) => setTimeout(resolve, 100));
    first.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const both = [come(1, 3, port!), come(2, 3, port!)];
    const [met] = await Promise.all([zero, ...both]);
    expect(met.addresses).toEqual(['127.0.0.1:4000', '127.0.0.1:4001', '127.0.0.1:4002']);

    const [other] = await freePorts(1);
    const taken = come(0, 3, other!);
    const twice = [come(1, 3, other!), come(1, 3, other!)];
    const ends = await Promise.allSettled([taken, ...twice]);
    for (const end of ends)
      expect(String((end as PromiseRejectedResult).reason)).toMatch(/came, but that rank is taken/);
  });

  test('names a rank that was started otherwise', async () => {
    const [port] = await freePorts(1);
    const ends = await Promise.allSettled([come(0, 2, port!), come(2, 3, port!)]);
    for (const end of ends)
      expect(String((end as PromiseRejectedResult).reason)).toMatch(
        /rank 2 on \S+ was started with ranks 3, and rank 0/,
      );
  });
});

test('a rank waits no longer for one that takes it in and says nothing', async () => {
  const server = createServer((socket) => opened.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const begun = performance.now();
  await expect(come(1, 2, port, 0.5)).rejects.toThrow(`got no answer from rank 0 at 127.0.0.1:${port} within 0.5 s`);
  expect(performance.now() - begun).toBeLessThan(2000);
  server.close();
});

test('addresses that others can use', () => {
  const hub = { host: 'fd00::1', port: 7320 };
  expect(addressOf(hub.host, 1)).toBe('[fd00::1]:1');
  expect(reachable('::ffff:10.0.0.2', hub)).toBe('10.0.0.2');
  for (const own of ['127.0.1.1', '::1', '::ffff:127.0.0.1']) expect(reachable(own, hub)).toBe('fd00::1');
});

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { freePorts } from '../../src/ranks/process.js';
import {
  addressOf,
  firstHost,
  localRanksOf,
  reachable,
  rendezvous,
  type SupervisorGroup,
} from '../../src/ranks/rendezvous.js';
import { version } from '../../src/storage/file-format.js';

describe('the ranks that a command starts', () => {
  test('are none by default, and none where it is the process of a rank', () => {
    expect(localRanksOf(undefined, {})).toBeUndefined();
    expect(localRanksOf(1, {})).toBeUndefined();
    expect(localRanksOf(2, { WEIR_RANK_OF_THIS: '1' })).toBeUndefined();
  });

  test('are all of them with --ranks', () => expect(localRanksOf(3, {})).toEqual({ ranks: 3, own: [0, 1, 2] }));

  test('are one where the environment says so', () => {
    const env = { WEIR_RANK: '1', WEIR_RANKS: '2', WEIR_RENDEZVOUS: '[fd00::1]:7320' };
    expect(localRanksOf(undefined, env)).toEqual({ ranks: 2, own: [1], rendezvous: { host: 'fd00::1', port: 7320 } });
    expect(() => localRanksOf(undefined, { ...env, WEIR_RANK: '2' })).toThrow(
      'WEIR_RANK=2 and WEIR_RANKS=2 name no rank',
    );
    expect(() => localRanksOf(undefined, { ...env, WEIR_RENDEZVOUS: 'here' })).toThrow(
      "WEIR_RENDEZVOUS='here' is no address",
    );
  });

  test('are none where the environment names a single one, without a rendezvous', () => {
    expect(localRanksOf(undefined, { WEIR_RANKS: '1' })).toBeUndefined();
    expect(localRanksOf(undefined, { WEIR_RANK: '0', WEIR_RANKS: '1' })).toBeUndefined();
    expect(() => localRanksOf(undefined, { WEIR_RANK: '1', WEIR_RANKS: '1' })).toThrow('name no rank');
  });

  test('are as many as before where nothing else is said', () => {
    expect(localRanksOf(undefined, {}, 3)).toEqual({ ranks: 3, own: [0, 1, 2] });
    expect(localRanksOf(2, {}, 3)).toEqual({ ranks: 2, own: [0, 1] });
    expect(localRanksOf(1, {}, 3)).toBeUndefined();
  });

  test('are one under srun, but none in a batch script of several tasks', () => {
    const job = { SLURM_NTASKS: '4', SLURM_JOB_ID: '7' };
    expect(localRanksOf(undefined, { ...job, SLURM_PROCID: '0' })).toBeUndefined();
    const step = {
      SLURM_STEP_NUM_TASKS: '4',
      SLURM_PROCID: '2',
      SLURM_STEP_ID: '1',
      SLURM_STEP_NODELIST: 'n[03-04,9]',
    };
    const expected = { ranks: 4, own: [2], rendezvous: { host: 'n03', port: 20_708 } };
    expect(localRanksOf(undefined, { ...job, ...step })).toEqual(expected);
    expect(localRanksOf(4, { ...job, ...step })).toEqual(expected);
    expect(localRanksOf(undefined, { ...job, ...step }, 2)).toEqual(expected); // resumed by more ranks than it was begun with
    expect(localRanksOf(1, { ...job, ...step })).toBeUndefined();
    expect(() => localRanksOf(2, { ...job, ...step })).toThrow('--ranks 2 was given, but srun started tasks: 4');
    const address = { host: '10.0.0.1', port: 7320 };
    expect(localRanksOf(undefined, { ...job, ...step, WEIR_RENDEZVOUS: '10.0.0.1:7320' })).toEqual({
      ...expected,
      rendezvous: address,
    });
  });

  test.each([
    ['node1', 'node1'],
    ['a[07-12,20],b', 'a07'],
    ['x-[1,3].cluster', 'x-1.cluster'],
    ['a,b[1-2]', 'a'],
    ['rack[1-2]node[01-04]', 'rack1node01'],
    ['rack[1,3]node[02,04].cluster,b', 'rack1node02.cluster'],
  ])('%s begins with %s', (list, first) => expect(firstHost(list)).toBe(first));
});

const opened: (Socket | SupervisorGroup)[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) {
    if ('connections' in one) for (const connection of one.connections.values()) connection.destroy();
    else one.destroy();
  }
});

const join = async (rank: number, ranks: number, port: number, seconds = 5): Promise<SupervisorGroup> => {
  const group = await rendezvous({ ranks, own: [rank] }, { host: '127.0.0.1', port }, 4000 + rank, seconds);
  opened.push(group);
  return group;
};

/** A connection of another program to the port, once it is open; it sends this text. */
async function stranger(port: number, text = ''): Promise<{ socket: Socket; gone: Promise<unknown> }> {
  for (;;) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    opened.push(socket);
    const open = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('close', resolve));
    if (open !== true) continue;
    socket.resume().write(text);
    return { socket, gone: once(socket, 'close') };
  }
}
const request = (rank: number, ranks: number): string =>
  `${JSON.stringify({ rank, ranks, weir: version, host: 'x', port: 4000 })}\n`;

describe('the rendezvous', () => {
  test('closes connections of other programs, whatever they send, and the ranks join all the same', async () => {
    const [port] = await freePorts(1);
    const zero = join(0, 2, port!);
    const silent = await stranger(port!);
    const odd = await Promise.all(
      ['{}\n', '[]\n', 'GET / HTTP/1.1\r\n\r\n', request(-7, 2), '{"rank":1,"ranks":2,"port":"1,evil:2"}\n'].map(
        (text) => stranger(port!, text),
      ),
    );
    await Promise.all(odd.map(({ gone }) => gone));
    const [a, b] = await Promise.all([zero, join(1, 2, port!)]);
    expect(a.addresses).toEqual(['127.0.0.1:4000', '127.0.0.1:4001']);
    expect(b.addresses).toEqual(a.addresses);
    await silent.gone; // a connection left open would keep the supervisor alive
  });

  test('holds at most 256 connections that have sent nothing', { timeout: 20_000 }, async () => {
    const [port] = await freePorts(1);
    const zero = join(0, 2, port!, 20);
    const silent = await Promise.all(Array.from({ length: 256 }, () => stranger(port!)));
    const more = await stranger(port!);
    await more.gone;
    expect(silent.filter(({ socket }) => socket.closed)).toEqual([]);
    await Promise.all(silent.map(({ gone }) => gone)); // after five seconds
    await Promise.all([zero, join(1, 2, port!)]);
  });

  test('forgets a supervisor that leaves, and names a rank that comes twice', async () => {
    const [port] = await freePorts(1);
    const zero = join(0, 3, port!);
    const first = await stranger(port!, request(1, 3));
    await new Promise((resolve) => setTimeout(resolve, 100));
    first.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const both = [join(1, 3, port!), join(2, 3, port!)];
    const [group] = await Promise.all([zero, ...both]);
    expect(group.addresses).toEqual(['127.0.0.1:4000', '127.0.0.1:4001', '127.0.0.1:4002']);

    const [other] = await freePorts(1);
    const taken = join(0, 3, other!);
    const twice = [join(1, 3, other!), join(1, 3, other!)];
    const ends = await Promise.allSettled([taken, ...twice]);
    for (const end of ends)
      expect(String((end as PromiseRejectedResult).reason)).toMatch(/came, but that rank is taken/);
  });

  test('names a rank that was started differently', async () => {
    const [port] = await freePorts(1);
    const ends = await Promise.allSettled([join(0, 2, port!), join(2, 3, port!)]);
    for (const end of ends)
      expect(String((end as PromiseRejectedResult).reason)).toMatch(
        /rank 2 on \S+ was started with ranks 3, and rank 0/,
      );
  });
});

test('a rank gives up in time where the port accepts it and no reply comes', async () => {
  const server = createServer((socket) => opened.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const begun = performance.now();
  await expect(join(1, 2, port, 0.5)).rejects.toThrow(`got no answer from rank 0 at 127.0.0.1:${port} within 0.5 s`);
  expect(performance.now() - begun).toBeLessThan(2000);
  server.close();
});

test('rank 0 names the rank that does not come, and a port in use', async () => {
  const [port] = await freePorts(1);
  await expect(join(0, 2, port!, 0.3)).rejects.toThrow(
    `rank 1 of 2 did not come to 127.0.0.1:${port} within 0.3 seconds`,
  );
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port: busy } = server.address() as { port: number };
  await expect(join(0, 2, busy)).rejects.toThrow(`rank 0 cannot wait for the others at port ${busy}: EADDRINUSE`);
  server.close();
});

test('a rank names a host that does not resolve', async () => {
  const address = { host: 'no.such.host.invalid', port: 7320 };
  await expect(rendezvous({ ranks: 2, own: [1] }, address, 4000, 1)).rejects.toThrow(
    "rank 1 cannot find the host 'no.such.host.invalid' of rank 0",
  );
});

test('an address is one that other machines can use', () => {
  const address = { host: 'fd00::1', port: 7320 };
  expect(addressOf(address.host, 1)).toBe('[fd00::1]:1');
  expect(reachable('::ffff:10.0.0.2', address)).toBe('10.0.0.2');
  for (const own of ['127.0.1.1', '::1', '::ffff:127.0.0.1']) expect(reachable(own, address)).toBe('fd00::1');
});

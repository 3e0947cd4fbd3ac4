import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { doorOf } from '../../src/monitor/access.js';
import {
  makeSocketFolder,
  readNote,
  removeNote,
  removeStaleSockets,
  writeNote,
} from '../../src/monitor/control-socket.js';

const base = mkdtempSync(join(tmpdir(), 'place-'));
afterAll(() => rmSync(base, { recursive: true }));

test('a socket has a short path in a folder of its own, and a run that was killed leaves none once it goes on', async () => {
  const { socket } = makeSocketFolder()!;
  expect(socket.length).toBeLessThan(104);
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  writeNote(base, { pid: 1, socket, token: 'a' });
  expect(statSync(join(base, 'control.json')).mode & 0o777).toBe(0o600);
  const next = makeSocketFolder()!; // the process was killed, and another one works on the run
  writeNote(base, { pid: 2, socket: next.socket, token: 'b' });
  expect(existsSync(dirname(socket))).toBe(false);
  expect(readNote(base)).toEqual({ pid: 2, socket: next.socket, token: 'b' });
  removeNote(base);
  next.remove();
  expect([readNote(base), existsSync(dirname(next.socket))]).toEqual([undefined, false]);
  server.close();
});

test('what killed runs left is swept, and nothing else', async () => {
  const pathOf = (entry: string): string => {
    mkdirSync(join(base, entry), { mode: 0o700 });
    return join(base, entry, 'control.sock');
  };
  const listens = async (socket: string): Promise<Server> => {
    const server = createServer().listen(socket);
    await once(server, 'listening');
    return server;
  };
  const aged = (socket: string): void => utimesSync(socket, 0, 0);
  const dead = async (socket: string): Promise<void> => {
    const program = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', program]);
    expect(statSync(socket).isSocket()).toBe(true);
  };
  const [own, killed, recent, alive, other] = ['own', 'killed', 'recent', 'alive', 'other'].map((entry) =>
    pathOf(entry === 'other' ? entry : `weir-${entry}`),
  ) as [string, string, string, string, string];
  for (const socket of [own, killed, recent, other]) await dead(socket);
  const server = await listens(alive);
  for (const socket of [own, killed, alive, other]) aged(socket);
  writeFileSync(pathOf('weir-a-file'), 'thesis');
  writeFileSync(join(base, 'weir-no-folder'), 'thesis');
  await removeStaleSockets(own);
  expect(existsSync(dirname(killed))).toBe(false);
  for (const file of [own, recent, alive, other, join(base, 'weir-a-file/control.sock'), join(base, 'weir-no-folder')])
    expect([file, existsSync(file)]).toEqual([file, true]);
  server.close();
});

test('a note that lies costs nobody a file', () => {
  const precious = join(base, 'weir-precious');
  mkdirSync(precious);
  const file = join(precious, 'control.sock'); // a file, no socket
  writeFileSync(file, 'thesis');
  writeFileSync(join(base, 'control.json'), JSON.stringify({ pid: 1, socket: file, token: 'a' }));
  writeNote(base, { pid: 2, socket: '/tmp/none', token: 'b' });
  expect(existsSync(file)).toBe(true);
  for (const text of ['', '{', '[]', '{"pid":"1"}', 'null']) {
    writeFileSync(join(base, 'control.json'), text);
    expect(readNote(base)).toBe(undefined);
  }
});

test('only this machine’s own addresses count as such', () => {
  expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].map(doorOf)).toEqual(Array(4).fill('loopback'));
  expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.evil.example'].map(doorOf)).toEqual(
    Array(5).fill('open'),
  );
});

import { once } from 'node:events';
import { request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Broadcaster } from '../../src/monitor/broadcaster.js';
import type { Action } from '../../src/monitor/messages.js';
import { controlServer, type Served } from '../../src/monitor/server.js';
import { readings } from './readings.js';
import { scraped } from './scraped.js';

const token = 'the-token';
const acted: Action[] = [];
const broadcaster = new Broadcaster(() => [{ event: 'state', data: 1 }]);
const served: Served = {
  ...{ token, events: broadcaster, live: broadcaster },
  neighbor: async (name) => (name === 'other' ? { curves: [] } : undefined),
  readings: async () => readings,
  report: () => Buffer.from('<p>report</p>'),
  act: (action) => acted.push(action) > 0,
  tap: (_request, _arrays, out) => void out.end('tapped'),
};
const servers: Server[] = [];
let port: number;
let open: number;

beforeAll(async () => {
  const [loopback, other] = (['loopback', 'open'] as const).map((door) =>
    controlServer(served, door).listen(0, '127.0.0.1'),
  );
  servers.push(loopback!, other!);
  await Promise.all(servers.map((server) => once(server, 'listening')));
  [port, open] = servers.map((server) => (server.address() as AddressInfo).port) as [number, number];
});
afterAll(() => {
  broadcaster.close();
  for (const server of servers) server.closeAllConnections();
});

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly at?: number;
}

function ask(path: string, { method = 'GET', headers = {}, body = '', at = port }: Asked = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port: at,
      path,
      method,
      headers: { Host: `127.0.0.1:${at}`, ...headers },
    });
    asked.on('response', (answer) => {
      let text = '';
      answer.on('data', (piece) => {
        text += piece;
        if (text.includes('event: state')) answer.destroy();
      });
      answer.on('close', () => resolve({ status: answer.statusCode!, headers: answer.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const bearing = { 'X-Weir-Token': token };

test('the page is served with headers that let in nothing of others', async () => {
  const { status, headers, text } = await ask('/');
  expect([status, text.slice(0, 15)]).toEqual([200, '<!doctype html>']);
  expect(headers).toMatchObject({
    'content-security-policy': expect.stringMatching(/^default-src 'self'; frame-ancestors 'none'/),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  });
  for (const file of text.matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
    if (file[1] !== '/report') expect([file[1], (await ask(file[1]!)).status]).toEqual([file[1], 200]);
  }
  expect((await ask('/report')).headers['content-security-policy']).toMatch(/default-src 'none'.*sandbox/);
});

test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.', '10.0.0.1'])(
  "a name that is not this server's is refused, as of DNS rebinding: '%s'",
  async (Host) => {
    for (const path of ['/', '/api/events', '/api/may'])
      expect((await ask(path, { headers: { Host } })).status).toBe(403);
  },
);

test('through a tunnel with another port, and by localhost, it answers', async () => {
  for (const Host of ['localhost:9999', '127.0.0.1', '[::1]:80']) {
    expect((await ask('/api/may', { headers: { Host } })).status).toBe(200);
  }
});

test('a page of another site may neither read nor act, not even with the token', async () => {
  const others: Record<string, string>[] = [
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: `http://localhost:${port}` }, // not the name it was called by
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ];
  for (const headers of others) {
    expect((await ask('/api/events', { headers })).status).toBe(403);
    expect((await ask('/api/do/stop', { method: 'POST', headers: { ...headers, ...bearing } })).status).toBe(403);
  }
  expect(acted).toEqual([]);
});

test('nothing acts without the token; with it, in a header or the cookie that it is turned into, it does', async () => {
  const act = (headers: Record<string, string>) => ask('/api/do/pause', { method: 'POST', headers });
  const without: Record<string, string>[] = [
    {},
    { 'X-Weir-Token': 'another' },
    { 'X-Weir-Token': '' },
    { Cookie: 'weir=the-token' },
  ];
  for (const headers of without) {
    expect((await act(headers)).status).toBe(401);
  }
  expect((await ask('/api/tap?edge=batch')).status).toBe(401);
  expect(acted).toEqual([]);
  const own = { Origin: `http://127.0.0.1:${port}`, 'Sec-Fetch-Site': 'same-origin' };
  const session = await ask('/api/session', { method: 'POST', headers: { ...bearing, ...own } });
  const [cookie] = session.headers['set-cookie'] as string[];
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
  expect(await act({ Cookie: `other=1; ${cookie!.split(';')[0]}`, ...own })).toMatchObject({ status: 202 });
  expect((await act(bearing)).status).toBe(202);
  expect(acted.splice(0)).toEqual(['pause', 'pause']);
});

test('where others can reach it, reading needs the token too, and the page alone holds nothing', async () => {
  for (const path of ['/api/events', '/api/live', '/api/may', '/api/run?name=other', '/report', '/metrics']) {
    expect([path, (await ask(path, { at: open })).status]).toEqual([path, 401]);
    expect([path, (await ask(path, { at: open, headers: bearing })).status]).toEqual([path, 200]);
  }
  expect((await ask('/metrics', { at: open, headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
  expect((await ask('/metrics', { at: open, headers: { Authorization: 'Bearer another' } })).status).toBe(401);
  expect((await ask('/', { at: open })).status).toBe(200);
  expect((await ask('/', { at: open, headers: { Host: 'evil.example' } })).status).toBe(403);
});

test('a scraper is given the text format, or OpenMetrics where it accepts that', async () => {
  const plain = await ask('/metrics');
  expect(plain.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(scraped(plain.text)).toContainEqual({ name: 'weir_viewers', labels: { run: readings.run }, value: 3 });
  const Accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3';
  const open = await ask('/metrics', { headers: { Accept } });
  expect(open.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(scraped(open.text, 'openmetrics')).toEqual(scraped(plain.text));
});

test.each([
  '/../package.json',
  '/..%2f..%2fpackage.json',
  '/page/../../server.ts',
  '/index.html',
  '/server.ts',
  '//etc/passwd',
  '/style.css/',
  '/api/run?name=../other',
  '/api/run?name=%2e%2e',
  '/constructor',
  '/__proto__',
])('no path leads out of the table: %s', async (path) => {
  expect((await ask(path)).status).toBe(404);
});

test('a body, an address and headers have their limits, and a request must arrive in time', async () => {
  expect((await ask('/api/do/stop', { method: 'POST', headers: bearing, body: 'x'.repeat(5000) })).status).toBe(413);
  expect((await ask(`/${'x'.repeat(3000)}`)).status).toBe(414);
  expect((await ask('/', { headers: { 'X-Long': 'x'.repeat(9000) } })).status).toBe(431);
  expect((await ask('/api/do/erase', { method: 'POST', headers: bearing })).status).toBe(404);
  expect((await ask('/', { method: 'DELETE', headers: bearing })).status).toBe(405);
  expect(acted).toEqual([]);
  expect(servers[0]).toMatchObject({ maxConnections: 288, requestTimeout: 15_000, headersTimeout: 10_000 });
});

test('what is no HTTP at all is refused, and the server goes on', async () => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256));
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'close');
  expect((await ask('/')).status).toBe(200);
});

test('readers without the token take no place from who has it', async () => {
  const own = controlServer(served, 'loopback').listen(0, '127.0.0.1');
  servers.push(own);
  await once(own, 'listening');
  const at = (own.address() as AddressInfo).port;
  const sockets = Array.from({ length: 140 }, () => connect(at, '127.0.0.1'));
  const heard = sockets.map((socket) => once(socket, 'data'));
  for (const socket of sockets) socket.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${at}\r\n\r\n`);
  const answers = (await Promise.all(heard)).map(([bytes]) => String(bytes).slice(9, 12));
  expect(answers.filter((status) => status === '200')).toHaveLength(128);
  expect(await ask('/api/events', { at })).toMatchObject({
    status: 503,
    text: expect.stringContaining('a place is kept for who has the token'),
  });
  expect((await ask('/api/events', { at, headers: bearing })).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

test('connections that say nothing, as many as there may be, do not shut the owner out of the page', async () => {
  const own = controlServer(served, 'loopback').listen(0, '127.0.0.1');
  servers.push(own);
  await once(own, 'listening');
  const at = (own.address() as AddressInfo).port;
  const anew = { Connection: 'close' };
  const sockets = Array.from({ length: 400 }, () => connect(at, '127.0.0.1').on('error', () => undefined));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  expect((await ask('/', { at, headers: anew })).status).toBe(200);
  expect((await ask('/api/session', { at, method: 'POST', headers: { ...bearing, ...anew } })).status).toBe(200);
  expect((await ask('/api/may', { at, headers: anew })).status).toBe(503);
  expect((await ask('/api/events', { at, headers: bearing })).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Broadcaster } from '../../src/monitor/broadcaster.js';
import { controlServer } from '../../src/monitor/server.js';
import { readings } from './readings.js';

let server: Server;
let acted = 0;
const broadcaster = new Broadcaster(() => []);

beforeAll(async () => {
  const act = (): boolean => ++acted > 0;
  const served = {
    token: 'the-token',
    events: broadcaster,
    live: broadcaster,
    neighbor: async () => undefined,
    readings: async () => readings,
    report: () => undefined,
    act,
  };
  server = controlServer({ ...served, tap: (_request, _arrays, out) => void out.end() }, 'loopback').listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
});
afterAll(() => {
  broadcaster.close();
  server.closeAllConnections();
});

/** What a request may be made of: parts that mean something here, cut, joined and mixed with any bytes. */
const part = fc.oneof(
  fc.constantFrom(
    ...[
      'GET ',
      'POST ',
      'OPTIONS ',
      '/',
      '/api/do/stop',
      '/api/events',
      '/metrics',
      '/api/tap?edge=a&policy=buffer:9',
      '/../..',
      '%00',
      '//',
    ],
  ),
  fc.constantFrom(
    ...[
      ' HTTP/1.1\r\n',
      ' HTTP/9.9\r\n',
      '\r\n',
      '\r\n\r\n',
      'Host: 127.0.0.1\r\n',
      'Host: evil\r\n',
      'Origin: null\r\n',
    ],
  ),
  fc.constantFrom(
    ...[
      'X-Weir-Token: x\r\n',
      'Authorization: Bearer \r\n',
      'Accept: application/openmetrics-text\r\n',
      'Cookie: weir-=;;=\r\n',
      'Content-Length: 99999999\r\n',
      'Transfer-Encoding: chunked\r\n',
      'ffffffff\r\n',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constant('x').map((letter) => letter.repeat(9000)),
);

/** Sends bytes and takes what comes back, until the server closes or a moment has passed. */
function sent(text: string): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.end(text, 'latin1'));
    socket.setTimeout(100, () => socket.destroy());
    socket.on('data', (bytes) => {
      got += bytes;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(got));
  });
}

const runs = Number(process.env.WEIR_FUZZ ?? 300);

test('whatever is sent, the server neither acts, nor says what it should not, nor ends', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 12 }), async (parts) => {
      const got = await sent(parts.join(''));
      expect(got).not.toContain('the-token');
      expect(acted).toBe(0);
    }),
    { numRuns: runs },
  );
  expect(await sent('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toContain('<!doctype html>');
  const { heapUsed } = process.memoryUsage();
  expect(heapUsed).toBeLessThan(2 ** 29);
}, 3_600_000);

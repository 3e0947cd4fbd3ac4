import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Door, Guard, type Purpose } from './access.js';
import { asset } from './assets.js';
import type { Broadcaster } from './broadcaster.js';
import { exposition, familiesOf, type Readings } from './exposition.js';
import { type Action, actions, type TapItem, type TapRequest } from './messages.js';
import { type ArraysAs, tapRequest, toWire } from './taps.js';

/** What the server serves. */
export interface Served {
  readonly token: string;
  /** All that the page shows. */
  readonly events: Broadcaster;
  /** Only what comes from the running process, for a monitor of the same run elsewhere. */
  readonly live: Broadcaster;
  /** The curves of a run beside this one, by its name; undefined where there is none. */
  neighbor(name: string): Promise<unknown>;
  /** Where the run stands now, for a scraper. */
  readings(): Promise<Readings>;
  /** The report as HTML, where there is one. */
  report(): Buffer | undefined;
  /** @returns false where the run cannot be acted on */
  act(action: Action): boolean | Promise<boolean>;
  tap(request: TapRequest, arrays: ArraysAs, out: ServerResponse): void;
}

const limits = { connections: 256, viewers: 128, kept: 16, taps: 16, body: 4096, headers: 8192, target: 2048 };

const safe = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
const pagePolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

/**
 * The control server of a run: the page, its events, actions and taps. The same code answers on every door.
 *
 * Bound: 256 connections, of them 128 viewers and 16 taps, and 16 more of each kind for those who bear the token; 8 KiB of headers, 4 KiB of body, 15 s for a request to arrive.
 * Nothing is read by a path that a request names: the page is a fixed table, a run beside this one is looked up in a list.
 */
export function controlServer(served: Served, door: Door): Server {
  const guard = new Guard(served.token);
  let taps = 0;
  const late = new Set<Socket>(); // beyond the connections for all: places for those who bear the token

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = request;
    if (url.length > limits.target) return refuse(response, 414, 'the address is too long');
    const [path = '', query = ''] = url.split('?', 2);
    const refused = guard.refuses(request, door, purposeOf(method, path));
    if (refused !== undefined) return refuse(response, refused.status, refused.message);
    if (late.has(request.socket)) {
      if (guard.knows(request)) late.delete(request.socket);
      else response.setHeader('Connection', 'close'); // the page may be had, so that it can show the token
      if (purposeOf(method, path) !== 'page' && late.has(request.socket))
        return refuse(response, 503, 'too many are connected; who has the token is let in');
    }
    if (method === 'POST') return post(request, response, path);
    if (method !== 'GET') return refuse(response, 405, 'only GET and POST are answered');
    const found = asset(path);
    if (found !== undefined) return send(response, found.type, found.bytes);
    if (path === '/api/events') return watch(request, response, served.events);
    if (path === '/api/live') return watch(request, response, served.live);
    if (path === '/api/tap') return tap(response, new URLSearchParams(query));
    if (path === '/api/may') return json(response, { act: guard.knows(request) });
    if (path === '/api/run') return json(response, await served.neighbor(new URLSearchParams(query).get('name') ?? ''));
    if (path === '/metrics') {
      const { type, text } = exposition(familiesOf(await served.readings()), request.headers.accept);
      return send(response, type, Buffer.from(text));
    }
    if (path === '/report') {
      const report = served.report();
      if (report !== undefined) return send(response, 'text/html; charset=utf-8', report, reportPolicy);
    }
    refuse(response, 404, 'there is no such page');
  };

  const post = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    if (!(await emptied(request))) return refuse(response, 413, `at most ${limits.body} bytes may be sent`);
    if (path === '/api/session') {
      response.setHeader('Set-Cookie', guard.setCookie);
      return json(response, { act: true });
    }
    const action = actions.find((one) => path === `/api/do/${one}`);
    if (action === undefined) return refuse(response, 404, 'there is no such action');
    if (!(await served.act(action)))
      return refuse(response, 409, 'the run is not under way, or is only looked at from here');
    response.statusCode = 202; // it acts at the next barrier; the events tell when it has
    json(response, { asked: action });
  };

  const watch = (request: IncomingMessage, response: ServerResponse, broadcaster: Broadcaster) => {
    const most = limits.viewers + (guard.knows(request) ? limits.kept : 0);
    if (broadcaster.size >= most)
      return refuse(response, 503, 'too many are watching; a place is kept for who has the token');
    head(response, 'text/event-stream; charset=utf-8');
    const last = request.headers['last-event-id'];
    broadcaster.add(response, typeof last === 'string' ? last : undefined);
  };

  const tap = (response: ServerResponse, query: URLSearchParams) => {
    const asked = tapRequest(query);
    if (typeof asked === 'string') return refuse(response, 400, asked);
    if (taps >= limits.taps) return refuse(response, 503, `there are ${limits.taps} taps already`);
    taps++;
    response.on('close', () => taps--);
    served.tap(asked.request, asked.arrays, response);
  };

  const server = createServer(
    { maxHeaderSize: limits.headers, requestTimeout: 15_000, headersTimeout: 10_000, keepAliveTimeout: 5000 },
    (request, response) => {
      answer(request, response).catch((error) => {
        if (response.headersSent) response.destroy();
        else refuse(response, 500, (error as Error).message);
      });
    },
  );
  server.maxConnections = limits.connections + 2 * limits.kept;
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open++;
    socket.on('close', () => {
      open--;
      late.delete(socket);
    });
    if (open <= limits.connections) return;
    late.add(socket);
    if (late.size > limits.kept) late.values().next().value?.destroy(); // the one that has waited longest without showing it
  });
  server.maxHeadersCount = 64;
  return server;
}

function purposeOf(method: string, path: string): Purpose {
  if (method !== 'GET' || path === '/api/tap') return 'act';
  return path.startsWith('/api/') || path === '/report' || path === '/metrics' ? 'read' : 'page';
}

/** Says no, in words that both a person and `weir` can read. */
export function refuse(response: ServerResponse, status: number, message: string, remedy?: string): void {
  response.statusCode = status;
  if (status === 413) response.setHeader('Connection', 'close');
  json(response, { message, remedy });
}

/** Begins an answer of this type. */
export function head(response: ServerResponse, type: string, policy = pagePolicy): void {
  for (const [name, value] of Object.entries(safe)) response.setHeader(name, value);
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('Content-Type', type);
}

function json(response: ServerResponse, data: unknown): void {
  if (data === undefined) refuse(response, 404, 'there is no such run');
  else send(response, 'application/json; charset=utf-8', Buffer.from(JSON.stringify(data)));
}

function send(response: ServerResponse, type: string, bytes: Buffer, policy?: string): void {
  head(response, type, policy);
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}

/** Reads a body that says nothing; false as soon as it is too long. */
function emptied(request: IncomingMessage): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > limits.body) resolve(false);
    });
    request.on('end', () => resolve(true));
    request.on('error', reject);
  });
}

/**
 * The answer to who asked for a tap: a line of JSON for each item, as fast as it is read, and a last one that counts.
 *
 * Bound: one item, for the next one comes when this one has been taken.
 */
export class TapOut {
  constructor(
    private readonly out: ServerResponse,
    private readonly arrays: ArraysAs,
    private readonly taken: () => void,
  ) {}

  /** The tap is in place, or why it is not. */
  begin(refused?: { readonly message: string; readonly remedy: string }): void {
    if (refused !== undefined) {
      refuse(this.out, 404, refused.message, refused.remedy);
      return;
    }
    head(this.out, 'application/x-ndjson; charset=utf-8');
    this.out.flushHeaders();
  }

  item({ position, time, dropped, item }: TapItem): void {
    const head = { position, time: Math.round(time * 1000) / 1000, dropped };
    let line: string;
    try {
      line = JSON.stringify({ ...head, item: toWire(item, this.arrays) });
    } catch {
      this.out.destroy(); // longer than a text may be: half a gigabyte
      return;
    }
    if (this.out.write(`${line}\n`)) this.taken();
    else this.out.once('drain', this.taken);
  }

  /** The run, or the graph that had the edge, is over. */
  end(counts: { readonly seen: number; readonly dropped: number } | undefined): void {
    if (!this.out.headersSent) {
      refuse(this.out, 503, 'the run has ended');
      return;
    }
    if (counts !== undefined)
      this.out.write(`${JSON.stringify({ end: true, seen: counts.seen, dropped: counts.dropped })}\n`);
    this.out.end();
  }
}

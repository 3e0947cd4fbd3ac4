import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { hostname } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { sha256Bytes, sha256Of } from '../storage/digest.js';
import { writeAddress } from './control-socket.js';

/** Where a server listens: a socket that one user can reach, this machine only, or an address that others can reach. */
export type Door = 'socket' | 'loopback' | 'open';

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
}

/** What a request is for: the page itself, reading a run, or anything that acts on it or sees its data item by item. */
export type Purpose = 'page' | 'read' | 'act';

/**
 * Who may do what, one rule for every request.
 *
 * Host: the name by which the server was reached must be its own, so that a name of an attacker's that points to 127.0.0.1 (DNS
 * rebinding) is none. Any port will do, for a tunnel has another one. Origin: a page of another site may neither post nor read.
 * Token: acting needs it always; reading needs it where others can reach the server. The page alone holds no data.
 */
export class Guard {
  /** The cookie's name: cookies go by machine, not by port, and two monitors must not take each other's. */
  readonly cookie: string;

  constructor(private readonly token: string) {
    this.cookie = `weir-${sha256Of(token).slice(0, 8)}`;
  }

  refuses(request: IncomingMessage, door: Door, purpose: Purpose): Refusal | undefined {
    const { host, origin } = request.headers;
    if (host === undefined || !isOwn(nameOf(host), door)) {
      return { status: 403, message: 'this server is not called by that name: open it as 127.0.0.1 or localhost' };
    }
    if (origin !== undefined && hostOf(origin) !== host) return foreign;
    const site = request.headers['sec-fetch-site'];
    if (purpose !== 'page' && site !== undefined && site !== 'same-origin' && site !== 'none') return foreign;
    if (purpose === 'page' || (purpose === 'read' && door !== 'open')) return undefined;
    if (this.knows(request)) return undefined;
    return {
      status: 401,
      message: 'this needs the token: open the address that Weir printed, with all that follows #',
    };
  }

  /** Whether the request bears the token. */
  knows(request: IncomingMessage): boolean {
    const { cookie, authorization = '' } = request.headers;
    const bearer = /^Bearer (\S+)$/i.exec(authorization)?.[1]; // as a scraper's config has it
    const given = request.headers['x-weir-token'] ?? bearer ?? cookieOf(cookie, this.cookie);
    return typeof given === 'string' && timingSafeEqual(sha256Bytes(given), sha256Bytes(this.token));
  }

  /** The header that lets a browser bear the token from now on, to this server and from its own pages only. */
  get setCookie(): string {
    return `${this.cookie}=${this.token}; HttpOnly; SameSite=Strict; Path=/`;
  }
}

const foreign: Refusal = { status: 403, message: 'a page of another site asked for this' };

/** The name in `name:port`, without the brackets of an IPv6 address. */
const nameOf = (host: string): string =>
  host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();

function isOwn(name: string, door: Door): boolean {
  if (name === 'localhost' || name === '127.0.0.1' || name === '::1') return true;
  if (door !== 'open') return false;
  const own = (whole: string): string => whole.toLowerCase().split('.')[0]!; // with whatever domain: the token guards it
  return isIP(name) !== 0 || own(name) === own(hostname());
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // 'null', of a sandboxed page
  }
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

/** Where a monitor listens for browsers. */
export interface Listening {
  /** Undefined: the usual one, or any free one where that is taken; 0: any. */
  readonly port: number | undefined;
  /** 127.0.0.1, unless another is asked for. */
  readonly address: string;
}

const usualPort = 7316;

/** Who can reach an address. */
export const doorOf = (address: string): Door =>
  /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(address) ? 'loopback' : 'open';

/**
 * Listens, and says where.
 *
 * @returns the page's address, with the token behind '#', where no server and no log sees it
 * @throws {WeirError} where the port asked for is taken, or the address is not this machine's
 */
export async function listenAt(server: Server, { port, address }: Listening, token: string): Promise<string> {
  try {
    await listening(server, port ?? usualPort, address);
  } catch (error) {
    if (port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
      throw cannot(error, port, address);
    await listening(server, 0, address);
  }
  const bound = (server.address() as AddressInfo).port;
  const everywhere = address === '0.0.0.0' || address === '::';
  const host = everywhere ? hostname() : address.includes(':') ? `[${address}]` : address;
  return `http://${host}:${bound}/#token=${token}`;
}

/**
 * Tells the page's address: to a terminal with its token. Elsewhere, where a job's log is read by others, it comes without, and the whole
 * address lies in a file that this user alone can read.
 *
 * @returns the line to print, and what takes the file away
 */
export function addressLine(
  url: string,
  run: string,
  { isTTY = false }: { readonly isTTY?: boolean },
): { readonly line: string; readonly remove: () => void } {
  if (isTTY) return { line: url, remove: () => undefined };
  const { file, remove } = writeAddress(run, url);
  return { line: `${url.split('#')[0]} (with its token in ${file}, which you alone can read)`, remove };
}

/** Listens on a port and address, or on a socket. */
export function listening(server: Server, at: number | string, address?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const ready = (): void => {
      server.off('error', reject);
      server.on('error', () => undefined); // of one connection: the others go on
      resolve();
    };
    if (typeof at === 'string') server.listen(at, ready);
    else server.listen(at, address, ready);
  });
}

const cannot = (error: unknown, port: number | undefined, address: string): WeirError =>
  new WeirError(
    `the monitor cannot listen on ${address}, port ${port ?? usualPort}: ${(error as NodeJS.ErrnoException).code ?? error}`,
    'choose another port with --monitor PORT, or leave it out for a free one',
    { cause: error },
  );

/** How a run is reached: by its socket in any case, and where `listening` says besides. */
export interface MonitorAt {
  readonly token: string;
  /** The port that was had stays in it, for the next run of the command. */
  listening: Listening | undefined;
}

interface Settings {
  readonly monitor?: number | true;
  readonly monitorAddress?: string;
}

/** As the options of a command ask for it; one token for all runs of the command. */
export function monitorAt({ monitor, monitorAddress }: Settings): MonitorAt {
  const token = randomBytes(24).toString('base64url');
  if (monitor === undefined && monitorAddress === undefined) return { token, listening: undefined };
  const port = typeof monitor === 'number' ? monitor : undefined;
  return { token, listening: { port, address: monitorAddress ?? '127.0.0.1' } };
}

/** The same of a command that can do without: undefined with `--no-control`. */
export const controlAt = (settings: Settings & { readonly control: boolean }): MonitorAt | undefined =>
  settings.control ? monitorAt(settings) : undefined;

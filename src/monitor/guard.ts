import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

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
    this.cookie = `weir-${digest(token).toString('hex').slice(0, 8)}`;
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
    return typeof given === 'string' && timingSafeEqual(digest(given), digest(this.token));
  }

  /** The header that lets a browser bear the token from now on, to this server and from its own pages only. */
  get setCookie(): string {
    return `${this.cookie}=${this.token}; HttpOnly; SameSite=Strict; Path=/`;
  }
}

const foreign: Refusal = { status: 403, message: 'a page of another site asked for this' };

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The name in `name:port`, without the brackets of an IPv6 address. */
const nameOf = (host: string): string =>
  host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();

function isOwn(name: string, door: Door): boolean {
  if (name === 'localhost' || name === '127.0.0.1' || name === '::1') return true;
  if (door !== 'open') return false;
  const own = (whole: string): string => whole.toLowerCase().split('../observe/monitor')[0]!; // with whatever domain: the token guards it
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

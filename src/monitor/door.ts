import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { WeirError } from '../flow/errors.js';
import { writeAddress } from './control-socket.js';
import type { Door } from './guard.js';

/** Where a monitor listens for browsers. */
export interface Listening {
  /** Undefined: the usual one, or any free one where that is taken; 0: any. */
  readonly port: number | undefined;
  /** 127.0.0.1, unless another is asked for. */
  readonly address: string;
}

export const usualPort = 7316;

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

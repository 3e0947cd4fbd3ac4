import type { RendezvousAddress } from './place.js';

/** `host:port`, an IPv6 address in brackets. */
export const addressOf = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/**
 * Where others reach the host that a connection came from. One on the hub's own machine may have come by its loopback, which is another
 * machine to all others: they reach it as they reach the hub.
 */
export function reachable(remote: string, hub: RendezvousAddress): string {
  const plain = remote.replace(/^::ffff:/, '');
  return plain === '::1' || plain.startsWith('127.') ? hub.host : plain;
}

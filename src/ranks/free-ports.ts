import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports that nobody listens at. @param host the address that they are looked for at; by default all of this machine's */
export async function freePorts(count: number, host?: string): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, host));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

import { connect } from 'node:net';

/** Asks a monitor for an endless stream, and reads it or does not. @returns a function that closes it */
export function openStream(
  { base, token }: { readonly base: string; readonly token: string },
  path: string,
  reads: boolean,
): () => void {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nX-Weir-Token: ${token}\r\n\r\n`);
  if (reads) socket.resume();
  return () => socket.destroy();
}

/** As a process of its own: `node --import tsx viewers.ts ADDRESS VIEWERS`, with two taps besides, one of which never reads. */
if (process.argv[1]?.endsWith('viewers.ts')) {
  const [url, viewers] = process.argv.slice(2) as [string, string];
  const [base, token] = url.split('/#token=') as [string, string];
  for (let i = 0; i < Number(viewers); i++) openStream({ base, token }, '/api/events', true);
  openStream({ base, token }, '/api/tap?edge=batch&arrays=base64&policy=buffer:64', true);
  openStream({ base, token }, '/api/tap?edge=train', false);
}

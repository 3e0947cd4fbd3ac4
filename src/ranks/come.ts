import { connect } from 'node:net';
import { WeirError } from '../flow/errors.js';
import { addressOf } from './address.js';
import { HeartbeatConnection } from './line.js';
import type { ProcessGroup } from './met.js';
import type { RendezvousAddress } from './place.js';
import { type Answer, answerOf, type Hello } from './ranks-messages.js';

const retry = 250; // milliseconds

/** Goes to the hub, and again until it is answered there: rank 0's supervisor may begin later than this one. */
export async function joinRendezvous(own: Hello, hub: RendezvousAddress, seconds: number): Promise<ProcessGroup> {
  const until = performance.now() + 1000 * seconds;
  let unresolved = false;
  while (performance.now() < until) {
    const answered = await ask(own, hub, until - performance.now());
    unresolved = answered === 'unresolved';
    if (answered !== undefined && answered !== 'unresolved') {
      const { answer, line } = answered;
      if ('addresses' in answer) return { ...answer, lines: new Map([[0, line]]) };
      line.destroy();
      throw new WeirError(answer.refused, answer.remedy);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(retry, until - performance.now())));
  }
  if (unresolved) throw unknown(own, hub);
  throw new WeirError(
    `rank ${own.rank} got no answer from rank 0 at ${addressOf(hub.host, hub.port)} within ${seconds} seconds`,
    'see that rank 0 is started, and that no firewall stands between; --ranks-wait SECONDS waits longer',
  );
}

/** What was answered, by the line that stays open; 'unresolved' where nobody knows the host's name for now. */
type Asked = { readonly answer: Answer; readonly line: HeartbeatConnection } | 'unresolved' | undefined;

/** Asks once, for no longer than that: a firewall may swallow the first packet, and a stranger at the port keep silent. */
function ask(own: Hello, hub: RendezvousAddress, milliseconds: number): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const socket = connect(hub.port, hub.host);
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    const line = new HeartbeatConnection(socket);
    line.send(own); // goes once it is connected
    line.once('said', (said) => {
      clearTimeout(timer);
      const answer = answerOf(said, own.ranks);
      if (answer === undefined) line.destroy();
      else resolve({ answer, line });
    });
    line.once('gone', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOTFOUND') reject(unknown(own, hub, cause));
      if (cause.code === 'EAI_AGAIN') resolve('unresolved'); // the name server may come; the rest may pass too
    });
  });
}

const unknown = (own: Hello, hub: RendezvousAddress, cause?: Error): WeirError =>
  new WeirError(
    `rank ${own.rank} cannot find the host '${hub.host}' of rank 0`,
    'give its address as WEIR_HUB=HOST:PORT',
    cause && { cause },
  );

import type { Server, ServerResponse } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { doorOf, type Listening, listenAt, listening } from './access.js';
import { removeStaleSockets } from './control-socket.js';
import type { Action, FromThread, ToThread } from './messages.js';
import { controlServer, type Served, TapOut } from './server.js';
import { ViewModel } from './view-model.js';

/** The thread's options. */
export interface ThreadStart {
  readonly run: string;
  readonly socket: string | undefined;
  readonly token: string;
  /** Where it listens for browsers besides. */
  readonly monitor: Listening | undefined;
}

/**
 * The control server of a running process, on a thread of its own: a training step never holds up a viewer, and a viewer never a
 * step. What is in files it reads by itself; the training thread only posts a pulse a second while somebody watches, and the items
 * of taps, one under way at a time.
 */
export async function serveRun(): Promise<void> {
  const { run, socket, token, monitor } = workerData as ThreadStart;
  const post = (message: FromThread): void => parentPort!.postMessage(message);
  const view = new ViewModel(run, (viewers) => post({ type: 'watching', viewers }));
  const taps = new Map<number, TapOut>();
  let tapped = 0;

  const served: Served = {
    token,
    ...view.served,
    act(action: Action) {
      post({ type: 'do', action });
      return true;
    },
    tap(request, arrays, out: ServerResponse) {
      const id = ++tapped;
      taps.set(id, new TapOut(out, arrays, () => post({ type: 'ack', tap: id })));
      out.on('close', () => {
        taps.delete(id);
        post({ type: 'untap', tap: id });
      });
      post({ type: 'tap', tap: id, request });
    },
  };

  const servers: Server[] = [];
  const close = (): void => {
    view.close();
    for (const tap of taps.values()) tap.end(undefined);
    const over = servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const server of servers) server.closeIdleConnections();
    setTimeout(() => process.exit(), 200); // whoever has not read the end by then does without
    void Promise.all(over).then(() => process.exit());
  };

  parentPort!.on('message', (message: ToThread) => {
    if (message.type === 'pulse') {
      view.publish('pulse', message.pulse);
      post({ type: 'seen' });
    } else if (message.type === 'pictures') view.publish('pictures', inText(message.pictures));
    else if (message.type === 'going') view.publish('going', message.going);
    else if (message.type === 'close') close();
    else if (message.type === 'item') taps.get(message.tap)?.item(message.item);
    else if (message.type === 'tapped') taps.get(message.tap)?.begin(message.refused);
    else taps.get(message.tap)?.end(message);
  });

  try {
    if (socket !== undefined) {
      const server = controlServer(served, 'socket');
      servers.push(server);
      await listening(server, socket);
      removeStaleSockets(socket).catch(() => undefined); // nothing depends on it
    }
    let url: string | undefined;
    if (monitor !== undefined) {
      const server = controlServer(served, doorOf(monitor.address));
      servers.push(server);
      url = await listenAt(server, monitor, token);
    }
    post({ type: 'listening', url });
  } catch (error) {
    post({ type: 'failed', message: (error as Error).message });
    close();
  }
}

/** Pixels as base64: the events are text. */
const inText = ({ pixels, ...rest }: Extract<ToThread, { type: 'pictures' }>['pictures']) => ({
  ...rest,
  pixels: pixels.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')),
});

import { Worker } from 'node:worker_threads';
import { WeirError } from '../flow/errors.js';
import type { FromThread, ToThread } from './messages.js';
import type { ThreadStart } from './thread.js';

const patience = { begin: 20_000, end: 1000 }; // milliseconds
const heap = 512; // MiB that the thread's JavaScript may take; beyond, it ends and the run goes on

/**
 * The thread of the control server, seen from the training thread.
 *
 * It never holds up the process: one that cannot be started, fails or hangs is done without.
 */
export class ControlThread {
  private readonly worker: Worker | undefined;
  private readonly url: Promise<string | undefined>;

  /**
   * @param hear is told all that the thread says
   * @param gone is called when it has ended, by itself too
   */
  constructor(start: ThreadStart, hear: (message: FromThread) => void, gone: () => void) {
    let worker: Worker | undefined;
    this.url = new Promise((resolve, reject) => {
      const failed = (message: string): void =>
        reject(new WeirError(message, 'choose another port or address, or run without'));
      try {
        worker = new Worker(new URL('../../workers/monitor.js', import.meta.url), {
          ...{ workerData: start, name: 'weir monitor', resourceLimits: { maxOldGenerationSizeMb: heap } },
        });
      } catch (error) {
        failed(`the control thread does not start: ${(error as Error).message}`);
        return;
      }
      worker.unref(); // a run that stands still is to be noticed
      worker.on('message', (message: FromThread) => {
        if (message.type === 'failed') failed(message.message);
        else hear(message);
        if (message.type === 'listening') resolve(message.url);
      });
      worker.on('error', (error) => failed(`the control thread failed: ${error.message}`));
      worker.on('exit', gone);
      setTimeout(() => failed('the control thread does not start'), patience.begin).unref();
    });
    this.url.catch(() => undefined); // told where anyone asks
    this.worker = worker;
  }

  /** The page's address, once it can be opened. @throws {WeirError} where it cannot */
  async listening(): Promise<string | undefined> {
    this.worker?.ref();
    try {
      return await this.url;
    } finally {
      this.worker?.unref();
    }
  }

  post(message: ToThread): void {
    this.worker?.postMessage(message);
  }

  /** Asks it to end, and waits until it has. */
  async ended(): Promise<void> {
    const { worker } = this;
    if (worker === undefined) return;
    worker.ref();
    worker.postMessage({ type: 'close' } satisfies ToThread);
    const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const impatient = setTimeout(() => void worker.terminate(), patience.end);
    if (worker.threadId !== -1) await exit; // −1: it has ended already
    clearTimeout(impatient);
  }
}

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import { FlowMeter } from '../flow/meter.js';
import { WaitMeter } from '../run/consensus.js';
import type { RemoteControl, RunActions, RunEnding } from '../run/watch.js';
import { workerFile } from '../storage/typescript.js';
import { tf } from '../tensorflow/tf.js';
import { addressLine, type MonitorAt } from './access.js';
import { makeSocketFolder, type Note, removeNote, writeNote } from './control-socket.js';
import type { Action, FromThread, Going, ToThread } from './messages.js';
import { nextPictures } from './pictures.js';
import { OutsideTaps } from './taps.js';
import type { ThreadStart } from './thread.js';

const patience = { begin: 20_000, end: 1000 }; // milliseconds
const heap = 512; // MiB that the thread's JavaScript may take; beyond, it ends and the run goes on

/**
 * The thread of the control server, seen from the training thread.
 *
 * It never holds up the process: one that cannot be started, fails or hangs is done without.
 */
class ControlThread {
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
        worker = new Worker(workerFile('monitor.js'), {
          workerData: start,
          name: 'weir monitor',
          resourceLimits: { maxOldGenerationSizeMb: heap },
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

const beat = 1000; // milliseconds from one pulse to the next
const fineness = 50; // milliseconds to which the event loop's delay is told

/**
 * The training thread's side of the control server: it starts the server's thread, posts a pulse a second while somebody watches,
 * and does what is asked.
 *
 * Bound: one pulse, one set of pictures and one item a tap are under way. Failure: where the thread or its socket fails, the run goes
 * on without, unless a page was asked for.
 */
class RunControl implements RemoteControl {
  private flow: Flow | undefined;
  private meter: FlowMeter | undefined;
  private waits = new WaitMeter();
  private waited: readonly number[] = [];
  private about = { name: '', index: 0, of: 0 };
  private going: Going = { state: 'running', note: '' };
  private viewers = 0;
  private timer: NodeJS.Timeout | undefined;
  private underWay = false;
  private forget: () => void = () => undefined;
  private endPictures: () => void = () => undefined;
  private readonly delay = monitorEventLoopDelay({ resolution: fineness });
  private readonly taps = new OutsideTaps((message) => this.post(message));
  private readonly thread: ControlThread;
  private readonly cleanUp: () => void;

  constructor(
    private readonly run: string,
    private readonly asked: RunActions,
    private readonly monitor: MonitorAt,
  ) {
    const { token } = monitor;
    const location = makeSocketFolder();
    this.cleanUp = () => {
      location?.remove();
      removeNote(run);
    };
    process.once('exit', this.cleanUp);
    this.delay.enable();
    const start: ThreadStart = { run, socket: location?.socket, token, monitor: monitor.listening };
    const hear = (message: FromThread): void => {
      if (message.type !== 'listening') this.hear(message);
      else if (location !== undefined) noted(run, { pid: process.pid, socket: location.socket, token });
    };
    this.thread = new ControlThread(start, hear, () => {
      this.watched(0); // nobody is told any more, and nothing is to be kept for anyone
      this.taps.closeAll();
    });
  }

  /** The page's address, once it can be opened, as a line for the terminal. @throws {WeirError} where it cannot */
  async opened(): Promise<string | undefined> {
    const { listening } = this.monitor;
    if (listening === undefined) return undefined;
    const url = (await this.thread.listening())!;
    this.monitor.listening = { ...listening, port: Number(new URL(url).port) }; // the next run of this command has it too
    const { line, remove } = addressLine(url, this.run, process.stderr);
    this.forget = remove;
    return `monitor: ${line}`;
  }

  network(network: { readonly name: string }, index: number, of: number, flow: Flow): void {
    this.flow = flow;
    this.about = { name: network.name, index: index + 1, of };
    this.meter = new FlowMeter(flow);
    this.waits = new WaitMeter();
    this.taps.follow(flow);
  }

  barrier(waited: readonly number[]): void {
    this.waited = waited;
  }

  record(): void {}
  snapshot(): void {}

  warn(message: string): void {
    this.goes({ ...this.going, note: message });
  }

  held(now: boolean): void {
    const { state } = this.going;
    this.goes({ state: now ? 'paused' : state === 'stopping' ? state : 'running', note: '' });
  }

  /** Tells the viewers how it ended, ends the thread, and takes the socket away. */
  async close(how: RunEnding): Promise<void> {
    this.watched(0);
    this.delay.disable();
    this.goes({ state: how, note: '' });
    this.taps.closeAll();
    this.forget();
    await this.thread.ended();
    process.off('exit', this.cleanUp);
    this.cleanUp();
  }

  private hear(message: FromThread): void {
    if (message.type === 'watching') this.watched(message.viewers);
    else if (message.type === 'seen') this.underWay = false;
    else if (message.type === 'do') this.act(message.action);
    else if (message.type === 'tap') this.taps.add(message.tap, message.request);
    else if (message.type === 'ack') this.taps.ack(message.tap);
    else if (message.type === 'untap') this.taps.close(message.tap);
  }

  private act(action: Action): void {
    const before = this.going.state;
    if (action === 'pause' && before === 'running') this.goes({ state: 'pausing', note: '' });
    if (action === 'resume' && before === 'pausing') this.goes({ state: 'running', note: '' });
    if (action === 'stop') this.goes({ state: 'stopping', note: 'stopping after a snapshot' });
    if (action === 'snapshot') this.goes({ state: before, note: 'a snapshot was asked for' });
    this.asked[action]();
  }

  private goes(going: Going): void {
    this.going = going;
    this.post({ type: 'going', going });
  }

  private watched(viewers: number): void {
    const first = viewers > 0 && this.viewers === 0;
    this.viewers = viewers;
    if (viewers === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      this.endPictures();
    } else if (first) {
      this.underWay = false;
      this.timer = setInterval(() => this.pulse(), beat).unref();
      this.post({ type: 'going', going: this.going });
      this.pulse();
    }
  }

  private pulse(): void {
    if (this.meter === undefined || this.flow === undefined || this.underWay) return;
    this.underWay = true;
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { numTensors, numBytes } = tf.memory();
    this.post({
      type: 'pulse',
      pulse: {
        ...this.meter.read(),
        ranks: this.waits.read(this.waited),
        network: this.about,
        memory: { resident: rss, heap: heapUsed, arrays: Math.max(external, arrayBuffers) },
        tensors: { count: numTensors, bytes: numBytes },
        taps: this.taps.counts,
        loopDelay: Math.max(0, this.delay.max / 1e6 - fineness) / 1000,
      },
    });
    this.delay.reset();
    this.endPictures();
    this.endPictures = nextPictures(this.flow, (pictures) => this.post({ type: 'pictures', pictures }));
  }

  private post(message: ToThread): void {
    this.thread.post(message);
  }
}

/** Puts a control server beside a run; none where nothing is to be reached. */
export const controlledBy = (monitor: MonitorAt | undefined) =>
  monitor && ((run: string, asked: RunActions): RemoteControl => new RunControl(run, asked, monitor));

/** A run whose folder takes no note cannot be reached, and goes on. */
function noted(run: string, note: Note): void {
  try {
    writeNote(run, note);
  } catch {
    // A full disk is told where it matters.
  }
}

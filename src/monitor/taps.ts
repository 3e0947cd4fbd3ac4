import { userNodes } from '../flow/drawing.js';
import type { Flow } from '../flow/flow.js';
import { listen } from '../flow/node.js';
import { Tap } from '../flow/tap.js';
import type { TapItem, TapRequest, ToThread } from './messages.js';

interface Open {
  readonly request: TapRequest;
  readonly tap: Tap;
  readonly begun: number;
  leave: () => void;
  /** Lets the reader take the next item. */
  next: (() => void) | undefined;
}

/**
 * Taps that somebody outside asked for, on the edges of whatever flow is running: they go over from one network to the next.
 *
 * Bound: one item under way for each tap, and what its policy keeps. A reader that is slow or stuck costs the run a count of
 * what was dropped, nothing else; the copy of an item is made when it is its turn.
 */
export class OutsideTaps {
  private readonly open = new Map<number, Open>();
  private flow: Flow | undefined;
  private droppedBefore = 0; // by taps that are closed

  constructor(private readonly post: (message: ToThread) => void) {}

  get counts(): { readonly open: number; readonly dropped: number } {
    const dropped = [...this.open.values()].reduce((sum, { tap }) => sum + tap.dropped, this.droppedBefore);
    return { open: this.open.size, dropped };
  }

  /** Taps the edges of this flow from now on. */
  follow(flow: Flow): void {
    this.flow = flow;
    for (const [id, one] of this.open) {
      one.leave();
      if (!this.attach(one)) this.close(id);
    }
  }

  add(id: number, request: TapRequest): void {
    const { flow } = this;
    const known = (flow === undefined ? [] : userNodes(flow))
      .filter(({ kind }) => kind !== 'sink')
      .map(({ name }) => name);
    if (!known.includes(request.edge)) {
      const message =
        flow === undefined ? 'no network of the run is under way yet' : `the graph has no edge after '${request.edge}'`;
      const remedy =
        flow === undefined ? 'ask again in a moment' : `tap one of ${known.map((name) => `'${name}'`).join(', ')}`;
      this.post({ type: 'tapped', tap: id, refused: { message, remedy } });
      return;
    }
    const begun = performance.now();
    const tap = new Tap(request.edge, request.policy, (data) =>
      this.read(id, data as unknown as Omit<TapItem, 'dropped'>),
    );
    const one: Open = { request, tap, begun, leave: () => undefined, next: undefined };
    this.open.set(id, one);
    this.attach(one);
    this.post({ type: 'tapped', tap: id });
  }

  /** The item that was under way has been written. */
  ack(id: number): void {
    this.open.get(id)?.next?.();
  }

  close(id: number): void {
    const one = this.open.get(id);
    if (one === undefined) return;
    this.open.delete(id);
    one.leave();
    const { seen, dropped } = one.tap;
    this.droppedBefore += dropped;
    this.post({ type: 'untapped', tap: id, seen, dropped });
    one.next?.();
  }

  closeAll(): void {
    for (const id of [...this.open.keys()]) this.close(id);
  }

  private attach(one: Open): boolean {
    const node = this.flow?.nodes.find(({ name }) => name === one.request.edge);
    if (node === undefined) return false;
    one.leave = listen(node, (item, position) => one.tap.see({ position, time: performance.now() - one.begun, item }));
    return true;
  }

  /** Hands one item over; done when it was written and the rate allows another. */
  private read(id: number, item: Omit<TapItem, 'dropped'>): Promise<void> {
    const one = this.open.get(id);
    if (one === undefined) return Promise.resolve();
    const given = performance.now();
    this.post({ type: 'item', tap: id, item: { ...item, dropped: one.tap.dropped } });
    return new Promise((resolve) => {
      one.next = () => {
        one.next = undefined;
        const { rate } = one.request;
        const wait = rate === undefined ? 0 : 1000 / rate - (performance.now() - given);
        if (wait > 0 && this.open.has(id)) setTimeout(resolve, wait).unref();
        else resolve();
      };
    });
  }
}

import type { Data } from './data.js';
import type { Input } from './input.js';
import type { Positioned } from './item.js';

/** What a node of the graph does with items; drawn by `weir graph`. */
export type NodeKind = 'source' | 'stage' | 'workers' | 'serial' | 'sink';

/** How a snapshot takes a node's state and gives it back. */
export interface Stateful {
  /** The state as plain data, as it was when all up to `position` had been taken in. */
  save(position: number): Data;
  load(data: Data, position: number): void;
}

/**
 * One named place in the graph: its counters, what it holds, and what follows it.
 *
 * Positions count samples (see `Positioned`). `entered − left` is not what is inside, since an operator may drop samples:
 * `held` is.
 */
export class Node {
  itemsIn = 0;
  itemsOut = 0;
  /** Milliseconds spent in the node's own work; light work is measured at every 64th item. */
  busy = 0;
  /** Position of the newest item that came in, and of the newest one handed on. */
  entered = 0;
  left = 0;
  /** Samples inside now, and the most there may be. */
  held = 0;
  limit = Number.POSITIVE_INFINITY;
  /** Samples that it must hold before it can hand anything on (a batch). */
  needs = 0;
  /** Up to here items have been worked on completely (a stage that claims may be inside the next). */
  handled = -1;
  readonly downstream = new Set<Node>();
  state: Stateful | undefined;
  /** What it takes in from outside of the graph: data sets, weights of other runs. Compared by ranks and when a run goes on. */
  inputs: readonly Input[] = [];
  /** Where what follows counts other samples too: the own position that a position there stands for. */
  translate: ((position: number) => number) | undefined;
  /** Whoever records or taps the edge behind this node; called before the item goes on, and must not keep it. */
  listener: ((item: unknown, position: number) => void) | undefined;
  private heavy = false;

  /** After a resume: items up to here had been taken in already. */
  resumedAt = -1;
  /** Whether items come to it later than they were handed out: an operator of the user's delays them. */
  late = false;

  constructor(
    readonly name: string,
    readonly kind: NodeKind,
    private readonly flow?: { readonly pushing: boolean },
  ) {}

  /** Counts an item in. */
  arrive(position: number): void {
    this.entered = position;
    this.itemsIn++;
    if (this.flow !== undefined && !this.flow.pushing) this.late = true;
  }

  /** Counts an item out; one without a position of its own leaves at `position`. */
  leave(item: unknown, position: number): void {
    const own = (item as Partial<Positioned> | null | undefined)?.position;
    this.left = own ?? position;
    this.itemsOut++;
    this.listener?.(item, this.left);
  }

  /** Whether what it holds leaves by itself, without further items. */
  get works(): boolean {
    return this.kind === 'workers' || this.kind === 'serial';
  }

  /** Nothing came of the items up to `position`: what follows counts them as seen, unless earlier ones are still under way. */
  pass(position: number): void {
    for (const next of this.downstream) if (next.entered < this.left) return;
    this.left = position;
    for (const next of this.downstream) {
      if (next.kind === 'serial' || next.held > 0 || next.entered >= position) continue;
      next.entered = position;
      next.pass(position);
    }
  }

  /** Call before the node's own work, and `end` with the result after it. */
  begin(): number {
    return this.heavy || (this.itemsIn & 63) === 0 ? performance.now() : 0;
  }

  end(begun: number): void {
    if (begun === 0) return;
    const took = performance.now() - begun;
    this.heavy = took > 0.02;
    this.busy += this.heavy ? took : took * 64;
  }
}

/**
 * What a source has outside, and how many more samples it may hand out: its own limit less all that is on its way, and no
 * more than any node on the way may hold. Where the way forks, the fullest branch counts.
 */
export function demand(source: Node): { readonly outside: number; readonly room: number } {
  let least = Number.POSITIVE_INFINITY;
  let outside = 0;
  const visit = (node: Node, above: number): void => {
    for (const next of node.downstream) {
      const onTheWay = above + Math.max(0, node.left - next.entered) + next.held;
      if (next.limit - onTheWay < least) least = next.limit - onTheWay;
      if (onTheWay > outside) outside = onTheWay;
      if (next.kind !== 'serial') visit(next, onTheWay);
    }
  };
  visit(source, 0);
  return { outside, room: Math.min(least, source.limit - outside) };
}

/** All nodes that `from` leads to, up to and including serial ones, each once. */
export function path(from: Node): Node[] {
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    for (const next of node.downstream) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (next.kind !== 'serial') visit(next);
    }
  };
  visit(from);
  return [...seen];
}

import type { Lease } from './lease.js';
import type { Node } from './node.js';

/**
 * The demand of a flow: it knows whether a node is handing items on, and wakes the sources when room may have been made downstream.
 *
 * The credits themselves are positions and stand in the nodes: see `credit`.
 */
export class Demand {
  private readonly pumps: (() => void)[] = [];
  private repeating = false;

  /** @param isPushing outside of a flow always: there no source waits for room */
  constructor(private isPushing = false) {}

  /** Whether a node hands items on right now. An item that arrives at another time was held by an operator of the user's. */
  get pushing(): boolean {
    return this.isPushing;
  }

  /**
   * Hands an item on, so that a node which gets it before this returns knows that nothing delayed it.
   *
   * @param again whether it is a restored update, or the output that a stage had made of it, once more
   */
  push(give: () => void, again = false): void {
    const { isPushing, repeating } = this;
    this.isPushing = true;
    this.repeating = again;
    try {
      give();
    } finally {
      this.isPushing = isPushing;
      this.repeating = repeating;
    }
  }

  /** Whether an item is handed out once more, now or delayed by an operator of the user's, and not made anew. */
  isAgain(lease: Lease | undefined): boolean {
    return this.isPushing ? this.repeating : (lease?.again ?? false);
  }

  /** `pump` is called whenever room may have been made downstream. */
  onCredit(pump: () => void): void {
    this.pumps.push(pump);
  }

  /** Says that a node has let something go: sources that wait for room look again. */
  creditReturned(): void {
    for (const pump of this.pumps) pump();
  }

  /** Says that a node is done with an item. A source that is pushing it looks for room by itself. */
  itemDone(): void {
    if (!this.isPushing) this.creditReturned();
  }
}

/**
 * The samples that a source has outside, and how many more it may hand out: its own limit less all that is on its way, and no more than any
 * node on the way may hold. Where the way forks, the fullest branch counts.
 */
export function credit(source: Node): { readonly outside: number; readonly available: number } {
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
  return { outside, available: Math.min(least, source.limit - outside) };
}

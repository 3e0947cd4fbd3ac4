import type { Node } from './core-node.js';

/** Told of every item that leaves a node, before it goes on; it must not keep the item nor take long. */
export type Listener = (item: unknown, position: number) => void;

const listening = new WeakMap<Node, Set<Listener>>();

/**
 * Adds a listener to what leaves a node; many may listen to one.
 *
 * A node that nobody listens to pays nothing, one with a single listener one call.
 *
 * @returns what ends it
 */
export function listen(node: Node, listener: Listener): () => void {
  const all = listening.get(node) ?? new Set<Listener>();
  listening.set(node, all);
  all.add(listener);
  settle(node, all);
  return () => {
    all.delete(listener);
    settle(node, all);
  };
}

function settle(node: Node, all: ReadonlySet<Listener>): void {
  const [first, ...others] = all;
  if (others.length === 0) node.listener = first;
  else {
    node.listener = (item, position) => {
      for (const one of [...all]) one(item, position); // a copy: one of them may end itself
    };
  }
}

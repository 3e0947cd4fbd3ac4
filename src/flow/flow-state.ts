import type { Data } from './data.js';
import { WeirError } from './errors.js';
import type { Graph } from './graph.js';
import { type Node, path } from './node.js';

/** What a flow hands to a snapshot: how far it is, and every node's state by name. */
export type FlowState = {
  readonly nodes: {
    readonly [name: string]: {
      readonly position: number;
      readonly handled: number;
      /** Items handled at that position; none upstream of the serial stage, where items are made again from their source. */
      readonly handledItems?: number;
      /** Outputs of the item under way that the state does not tell of, where there are any. */
      readonly handedOut?: number;
      readonly state: Data;
    };
  };
};

/** Every node's state as of the last position that went through to the end. Call at a barrier. */
export function saveNodes(graph: Graph): FlowState {
  const nodes: Record<string, FlowState['nodes'][string]> = {};
  for (const node of graph.nodes) {
    const position = graph.committed(node);
    const { handled, handledItems, handedOut } = node;
    const inside = handedOut > 0 && { handedOut };
    const items = graph.afterSerial.has(node) ? { handledItems } : undefined;
    nodes[node.name] = { position, handled, ...items, ...inside, state: node.state?.save(position) };
  }
  return { nodes };
}

/**
 * Puts a snapshot's states back. Call before the flow starts.
 *
 * @param again sinks whose streams start anew after the restored update, with all nodes that lead to them alone
 * @throws {WeirError} when the snapshot is of another graph
 */
export function loadNodes(graph: Graph, saved: FlowState, again: readonly string[]): void {
  const fresh = new Set(graph.nodes.filter((node) => graph.afterSerial.has(node) && leadsOnlyTo(node, again)));
  const restored = graph.nodes.filter((node) => !fresh.has(node));
  const known = new Set(graph.nodes.map(({ name }) => name));
  const missing = Object.keys(saved.nodes).filter((name) => !known.has(name));
  const added = restored.filter(({ name }) => saved.nodes[name] === undefined).map(({ name }) => name);
  if (missing.length + added.length > 0) {
    throw new WeirError(
      `the snapshot is of another graph: it has ${list(missing)} that this one lacks, and lacks ${list(added)}`,
      'resume it with the pipeline module that made it, or start a new run',
    );
  }
  for (const node of restored) {
    const entry = saved.nodes[node.name]!;
    node.restore(entry.position, entry.handled, entry.handledItems);
    node.handedOut = entry.handedOut ?? 0;
    if (node !== graph.serial && !graph.afterSerial.has(node)) node.resumedAt = entry.position;
    node.state?.load(entry.state, entry.position);
  }
}

const leadsOnlyTo = (node: Node, sinks: readonly string[]): boolean =>
  node.downstream.size === 0
    ? sinks.includes(node.name)
    : path(node).every((next) => next.downstream.size > 0 || sinks.includes(next.name));

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'nothing' : names.map((name) => `'${name}'`).join(', ');

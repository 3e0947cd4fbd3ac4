import type { Node } from '../flow/core-node.js';
import type { Flow } from '../flow/flow.js';

/** What writes a stream's items into the metric log stands before every sink of a run; the user wired none of it. */
const writes = (node: Node): boolean =>
  node.name.startsWith('log ') && [...node.downstream].some((next) => next.name === `${node.name.slice(4)}$`);

/** The nodes that the user wired, as `weir graph` lists them. */
export const wiredNodes = (flow: Flow): Node[] => flow.nodes.filter((node) => !writes(node));

/** What follows a node in the graph that the user wired. */
export const wiredAfter = (node: Node): Node[] =>
  [...node.downstream].flatMap((next) => (writes(next) ? [...next.downstream] : [next]));

/** The node whose counters are a sink's: what writes its items into the metric log hands none of them on. */
export const countedBy = (flow: Flow, node: Node): Node =>
  (node.kind === 'sink' && flow.nodes.find((other) => writes(other) && other.downstream.has(node))) || node;

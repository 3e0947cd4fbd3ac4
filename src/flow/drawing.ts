import type { Flow } from './flow.js';
import type { Node } from './node.js';
import { textTable } from './text-table.js';

/** The nodes that the user wired, without the logs that a run puts before its sinks. */
export const userNodes = (flow: Flow): Node[] => flow.nodes.filter(({ role }) => role !== 'log');

/** The nodes that follow one in the graph that the user wired. */
export const userNodesAfter = (node: Node): Node[] =>
  [...node.downstream].flatMap((next) => (next.role === 'log' ? [...next.downstream] : [next]));

/** A graph as text that Mermaid draws: sources as stadiums, the serial stage as a double box, sinks as flags. */
export function toMermaid(flow: Flow): string {
  const id = (node: Node): string => `n${flow.nodes.indexOf(node)}`;
  const shapes: Record<Node['kind'], (label: string) => string> = {
    source: (label) => `([${label}])`,
    stage: (label) => `[${label}]`,
    workers: (label) => `[/${label}/]`,
    serial: (label) => `[[${label}]]`,
    sink: (label) => `>${label}]`,
  };
  const nodes = inOrder(flow).map((node) => `  ${id(node)}${shapes[node.kind](`"${node.name}"`)}`);
  const edges = inOrder(flow).flatMap((node) =>
    userNodesAfter(node).map((next) => {
      const between = unnamed(node, next);
      return `  ${id(node)} -->${between.length === 0 ? '' : `|"${between.join(', ')}"|`} ${id(next)}`;
    }),
  );
  return ['flowchart LR', ...nodes, ...edges].join('\n');
}

/** A graph as an aligned list: a line for each node, with its kind, its bound and the nodes that follow. */
export function toText(flow: Flow): string {
  const rows = inOrder(flow).map((node) => [
    node.name,
    node.kind,
    Number.isFinite(node.limit) ? `≤ ${node.limit} samples` : node.needs > 0 ? `waits for ${node.needs}` : '',
    node.downstream.size === 0
      ? ''
      : `→ ${userNodesAfter(node)
          .map((next) => through(node, next))
          .join(', ')}`,
  ]);
  return textTable(rows).join('\n');
}

/** The operators on an edge towards training that have no node of their own: no snapshot holds their state. */
const unnamed = (node: Node, next: Node): readonly string[] => (next.leadsToSerial && node.operators.get(next)) || [];

function through(node: Node, next: Node): string {
  const between = unnamed(node, next);
  return between.length === 0 ? next.name : `${next.name} (through ${between.join(', ')})`;
}

/** Sources first, every node before those that follow it. */
function inOrder(flow: Flow): Node[] {
  const seen = new Set<Node>();
  const ordered: Node[] = [];
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const next of [...node.downstream].reverse()) visit(next);
    ordered.unshift(node);
  };
  for (const node of flow.nodes.filter(({ kind }) => kind === 'source').reverse()) visit(node);
  for (const node of flow.nodes) visit(node);
  return ordered.filter(({ role }) => role !== 'log');
}

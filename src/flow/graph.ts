import { WeirError } from './errors.js';
import { distinctHeaders, type Header } from './header.js';
import { type Node, path } from './node.js';
import { textTable } from './terminal.js';

/** The nodes of a flow, in the order in which they joined, and all that their edges tell. */
export class Graph {
  readonly nodes: Node[] = [];
  private behindSerial: ReadonlySet<Node> | undefined;

  /** @throws {WeirError} where another node has this name */
  add(node: Node): void {
    if (this.nodes.some(({ name }) => name === node.name)) {
      const { name, kind } = node;
      const shared = `a stream with two listeners is shared: pipe it through weir.fanOut('shared ${name}') before both`;
      const named = `of two stages one gets another name: weir.named('second ${name}', …)`;
      throw new WeirError(
        `two parts of the graph are called '${name}'; snapshots, taps and the drawn graph go by names`,
        kind === 'stage' ? `${named}; ${shared}` : `${shared}; ${named}`,
      );
    }
    this.nodes.push(node);
  }

  /** The node that trains, where there is one. */
  get serial(): Node | undefined {
    return this.nodes.find(({ kind }) => kind === 'serial');
  }

  /** All nodes behind the serial one. Ask when everything is wired. */
  get afterSerial(): ReadonlySet<Node> {
    const { serial } = this;
    this.behindSerial ??= new Set(serial === undefined ? [] : path(serial));
    return this.behindSerial;
  }

  /** Tells each node where it stands to the serial one. */
  markSides(): void {
    const { serial } = this;
    for (const node of this.nodes) {
      node.leadsToSerial = node === serial || leadsTo(node, serial);
      node.afterSerial = this.afterSerial.has(node);
      node.leadsToClaim = node.afterSerial && path(node).some(({ claims }) => claims);
    }
  }

  /** Hands every node the headers of the items that will come to it, sources first. @throws {WeirError} the error of a node */
  introduce(): void {
    const known = new Map<Node, readonly Header[]>();
    const headersOf = (node: Node): readonly Header[] => {
      const headers = known.get(node);
      if (headers !== undefined) return headers;
      known.set(node, []); // a node that is hidden before the serial stage gets none
      const { serial } = this;
      const before = this.nodes.filter((other) => other.downstream.has(node));
      const hidden = before.length === 0 && node.kind !== 'source' && node !== serial && serial !== undefined;
      const incoming = distinctHeaders((hidden ? [serial] : before).flatMap(headersOf));
      node.headers = node.introduce?.(incoming) ?? incoming;
      known.set(node, node.headers);
      return node.headers;
    };
    for (const node of this.nodes) headersOf(node);
  }

  /** Where the serial node's items are known to be whole: before its newest one, if a stage before it makes several items of one. */
  get settled(): number {
    const { serial } = this;
    if (serial?.group === undefined) return serial?.left ?? 0;
    const makesSeveral = this.nodes.some((node) => node.leadsToSerial && node !== serial && node.repeatsOut > 0);
    return serial.grouped || makesSeveral ? serial.group.before : serial.left;
  }

  /**
   * The position, as `node` counts, up to which all samples have gone all the way: through the serial stage, or where there is none into the
   * slowest sink. The samples behind it are made again after a resume.
   */
  committed(node: Node): number {
    const { serial } = this;
    if (serial !== undefined && (node === serial || this.afterSerial.has(node))) return serial.left;
    if (node.downstream.size === 0) return node.entered;
    let least = Number.POSITIVE_INFINITY;
    for (const next of node.downstream) {
      const position = next === serial ? this.settled : this.committed(next);
      least = Math.min(least, node.translate?.(position) ?? position);
    }
    return least;
  }
}

const leadsTo = (node: Node, end: Node | undefined): boolean =>
  end !== undefined && node.kind !== 'sink' && node.kind !== 'serial' && path(node).includes(end);

/** A wired flow, to be drawn. */
type FlowGraph = { readonly nodes: readonly Node[] };

/** The nodes that the user wired, without the logs that a run puts before its sinks. */
export const userNodes = (flow: FlowGraph): Node[] => flow.nodes.filter(({ role }) => role !== 'log');

/** The nodes that follow one in the graph that the user wired. */
export const userNodesAfter = (node: Node): Node[] =>
  [...node.downstream].flatMap((next) => (next.role === 'log' ? [...next.downstream] : [next]));

/** A graph as text that Mermaid draws: sources as stadiums, the serial stage as a double box, sinks as flags. */
export function toMermaid(flow: FlowGraph): string {
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
export function toText(flow: FlowGraph): string {
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
function inOrder(flow: FlowGraph): Node[] {
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

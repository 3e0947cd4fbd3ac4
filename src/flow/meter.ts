import type { Flow } from './flow.js';
import { demand, type Node, type NodeKind, path } from './node.js';

/** What writes a stream's items into the metric log stands before every sink of a run; the user wired none of it. */
const writes = (node: Node): boolean =>
  node.name.startsWith('log ') && [...node.downstream].some((next) => next.name === `${node.name.slice(4)}$`);

/** The nodes that the user wired, as `weir graph` lists them. */
export const userNodes = (flow: Flow): Node[] => flow.nodes.filter((node) => !writes(node));

/** What follows a node in the graph that the user wired. */
export const userNodesAfter = (node: Node): Node[] =>
  [...node.downstream].flatMap((next) => (writes(next) ? [...next.downstream] : [next]));

/** The node whose counters are a sink's: what writes its items into the metric log hands none of them on. */
export const countingNode = (flow: Flow, node: Node): Node =>
  (node.kind === 'sink' && flow.nodes.find((other) => writes(other) && other.downstream.has(node))) || node;

/** What a stage did lately. */
export interface StagePulse {
  readonly name: string;
  readonly kind: NodeKind;
  /** Items a second that left it; of a sink, that came to it. */
  readonly rate: number;
  /** Part of the time that it spent in its own work, 0 to 1; null for worker threads, whose work is not on this one. */
  readonly busy: number | null;
  readonly items: number;
}

/** What waits between two stages. */
export interface EdgePulse {
  readonly from: string;
  readonly to: string;
  /** Samples handed out and not yet through `to`; null behind the training step, where the turn holds one update. */
  readonly queue: number | null;
  readonly limit: number | null;
}

/** The numbers of a flow over the last moments. Plain data, as long as the graph is large. */
export interface Pulse {
  readonly stages: readonly StagePulse[];
  readonly edges: readonly EdgePulse[];
  /** The stage that the others wait for. */
  readonly bottleneck: { readonly name: string; readonly why: string } | null;
  /** Samples trained a second. */
  readonly samples: number;
  /** Part of the time that each rank waited for the others, what they sent included; the least waits, and is waited for. */
  readonly ranks: readonly number[];
}

/** That in words; nothing where there is one process alone. */
export function ranksInWords(ranks: readonly number[]): string | null {
  if (ranks.length === 0) return null;
  const shares = ranks.map((share) => `${Math.round(100 * share)} %`);
  return `ranks wait ${shares.join(', ')}`;
}

const few = 0.05; // busier than this is busy at all

/**
 * Measures a flow: each reading is over the time since the one before it.
 *
 * It only reads counters that the flow keeps in any case, so a flow that nobody measures pays nothing.
 */
export class FlowMeter {
  private at = performance.now();
  private past: ReadonlyMap<Node, { readonly items: number; readonly busy: number; readonly left: number }>;
  private readonly behind: ReadonlySet<Node>;
  private waited: readonly number[] = [];

  constructor(private readonly flow: Flow) {
    const serial = flow.nodes.find(({ kind }) => kind === 'serial');
    this.behind = new Set(serial === undefined ? [] : path(serial));
    this.past = this.counts();
  }

  read(): Pulse {
    const now = performance.now();
    const seconds = Math.max(0.001, (now - this.at) / 1000);
    const before = this.past;
    this.past = this.counts();
    this.at = now;
    const nodes = userNodes(this.flow);
    const stages = nodes.map((node): StagePulse => {
      const past = before.get(node) ?? { items: 0, busy: 0, left: 0 };
      const items = this.itemsOf(node);
      const busy = node.kind === 'workers' ? null : Math.min(1, (node.busy - past.busy) / (1000 * seconds));
      return { name: node.name, kind: node.kind, rate: Math.max(0, items - past.items) / seconds, busy, items };
    });
    const edges = nodes.flatMap((node) => userNodesAfter(node).map((next) => this.edge(node, next)));
    const serial = nodes.find(({ kind }) => kind === 'serial');
    const trained = serial === undefined ? 0 : serial.left - (before.get(serial)?.left ?? serial.left);
    const { waited } = this.flow;
    const ranks = waited.map((sum, rank) => Math.min(1, Math.max(0, sum - (this.waited[rank] ?? sum)) / seconds));
    this.waited = waited;
    return { stages, edges, bottleneck: bottleneckOf(stages, edges), samples: Math.max(0, trained) / seconds, ranks };
  }

  private edge(from: Node, to: Node): EdgePulse {
    const ends = { from: from.name, to: to.name };
    if (from.kind === 'serial' || this.behind.has(from)) return { ...ends, queue: null, limit: null };
    const queue = Math.max(0, from.left - to.entered) + to.held;
    if (Number.isFinite(to.limit)) return { ...ends, queue, limit: to.limit };
    const source = this.flow.nodes.find(
      (node) => node.kind === 'source' && (node === from || path(node).includes(from)),
    );
    return {
      ...ends,
      queue: Math.min(queue, source === undefined ? queue : demand(source).outside),
      limit: source?.limit ?? null,
    };
  }

  private itemsOf(node: Node): number {
    return node.kind === 'sink' ? countingNode(this.flow, node).itemsIn : node.itemsOut;
  }

  private counts() {
    return new Map(
      this.flow.nodes.map((node) => [node, { items: this.itemsOf(node), busy: node.busy, left: node.left }]),
    );
  }
}

/** Worker threads that are full while this thread waits; else the stage that was busy for the largest part of the time. */
function bottleneckOf(stages: readonly StagePulse[], edges: readonly EdgePulse[]): Pulse['bottleneck'] {
  const busiest = stages.reduce<StagePulse | undefined>(
    (most, one) => ((one.busy ?? 0) > (most?.busy ?? 0) ? one : most),
    undefined,
  );
  const share = busiest?.busy ?? 0;
  const full = stages.find(
    ({ name, kind }) =>
      kind === 'workers' &&
      edges.some(({ to, queue, limit }) => to === name && (queue ?? 0) > 0.5 * (limit ?? Infinity)),
  );
  if (full !== undefined && share < 0.5) return { name: full.name, why: 'its threads have all they may hold' };
  if (busiest === undefined || share < few) return null;
  return { name: busiest.name, why: `busy ${Math.round(100 * share)} %` };
}

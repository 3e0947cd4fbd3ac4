import { now } from '../surroundings/surroundings.js';
import { credit } from './demand.js';
import type { Flow } from './flow.js';
import { userNodes, userNodesAfter } from './graph.js';
import { type Node, type NodeKind, path } from './node.js';

/** Items that came to a sink, or to the log before it; that left any other node. */
const itemsOf = (node: Node): number =>
  node.kind === 'sink' ? ([...node.upstream].find(({ role }) => role === 'log') ?? node).itemsIn : node.itemsOut;

/** A stage's counters over the time since the last reading. */
export interface StagePulse {
  readonly name: string;
  readonly kind: NodeKind;
  /** Items a second that left it; of a sink, that came to it. */
  readonly rate: number;
  /** The part of the time that it spent in its own work, 0 to 1; null for worker threads. */
  readonly busy: number | null;
  readonly items: number;
}

/** The queue between two stages. */
export interface EdgePulse {
  readonly from: string;
  readonly to: string;
  /** Samples handed out and not yet through `to`; null behind the training step, where a lease holds one update. */
  readonly queue: number | null;
  readonly limit: number | null;
}

/** A reading of a flow. Plain data, whose size is that of the graph. */
export interface Pulse {
  readonly stages: readonly StagePulse[];
  readonly edges: readonly EdgePulse[];
  /** The stage that the others wait for, and the reason; null where none is busy. */
  readonly bottleneck: { readonly name: string; readonly why: string } | null;
  /** Samples trained a second. */
  readonly samples: number;
}

const few = 0.05; // busier than this is busy at all

/**
 * Measures a flow: each reading is over the time since the one before it.
 *
 * It only reads counters that the flow keeps in any case, so a flow that nobody measures pays nothing.
 */
export class FlowMeter {
  private at = now();
  private past: ReadonlyMap<Node, { readonly items: number; readonly busy: number; readonly left: number }>;
  private readonly behind: ReadonlySet<Node>;

  constructor(private readonly flow: Flow) {
    const serial = flow.nodes.find(({ kind }) => kind === 'serial');
    this.behind = new Set(serial === undefined ? [] : path(serial));
    this.past = this.counts();
  }

  read(): Pulse {
    const time = now();
    const seconds = Math.max(0.001, (time - this.at) / 1000);
    const before = this.past;
    this.past = this.counts();
    this.at = time;
    const nodes = userNodes(this.flow);
    const stages = nodes.map((node): StagePulse => {
      const past = before.get(node) ?? { items: 0, busy: 0, left: 0 };
      const items = itemsOf(node);
      const busy = node.kind === 'workers' ? null : Math.min(1, (node.busy - past.busy) / (1000 * seconds));
      return { name: node.name, kind: node.kind, rate: Math.max(0, items - past.items) / seconds, busy, items };
    });
    const edges = nodes.flatMap((node) => userNodesAfter(node).map((next) => this.edge(node, next)));
    const serial = nodes.find(({ kind }) => kind === 'serial');
    const trained = serial === undefined ? 0 : serial.left - (before.get(serial)?.left ?? serial.left);
    return { stages, edges, bottleneck: bottleneckOf(stages, edges), samples: Math.max(0, trained) / seconds };
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
      queue: Math.min(queue, source === undefined ? queue : credit(source).outside),
      limit: source?.limit ?? null,
    };
  }

  private counts() {
    return new Map(this.flow.nodes.map((node) => [node, { items: itemsOf(node), busy: node.busy, left: node.left }]));
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

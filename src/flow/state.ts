import type { Data } from './data.js';
import { WeirError } from './errors.js';
import type { Graph } from './graph.js';
import { type Node, path } from './node.js';
import { currentContext } from './wiring.js';

/** What a flow hands to a snapshot: how far it is, and every node's state by name. */
export type FlowState = {
  readonly nodes: {
    readonly [name: string]: {
      readonly position: number;
      readonly handled: number;
      /** Items handled at that position; none upstream of the serial stage, where items are made again from their source. */
      readonly handledItems?: number;
      /** Whether these were of an earlier update, at the same position. */
      readonly earlier?: true;
      /** Of the serial node, where several of its items may have one position: see `Node.group`. */
      readonly group?: { readonly before: number; readonly items: number };
      /** Outputs of the item under way that the state does not tell of, where there are any. */
      readonly handedOut?: number;
      readonly state: Data;
    };
  };
};

/**
 * Every node's state as of the last position that went through to the end. Call at a barrier.
 *
 * @param whole whether all work on the newest update is done. Else a stage whose outputs others still work on is saved as it was before that
 * update, which a resume hands out once more: it makes these outputs again, and whoever had handled some of them lets those pass
 */
export function saveNodes(graph: Graph, whole: boolean): FlowState {
  const { serial, settled } = graph;
  const lease = serial?.lease;
  const entryOf = (node: Node): FlowState['nodes'][string] => {
    const position = graph.committed(node);
    const before = whole || lease === undefined ? undefined : node.state?.saveBefore?.(lease);
    if (before !== undefined) return { position, ...before };
    const state = node.state?.save(position);
    if (graph.afterSerial.has(node)) {
      const { handled, handledItems, handedOut } = node;
      const earlier = node.isBehind(lease) && handled === position && { earlier: true as const };
      return { position, handled, handledItems, ...earlier, ...(handedOut > 0 && { handedOut }), state };
    }
    if (node === serial) {
      const { group, handled } = node;
      return {
        position,
        handled,
        ...(group !== undefined && settled < node.left && { group: { before: group.before, items: group.items } }),
        state,
      };
    }
    // By how much a node before the serial one is ahead depends on time, and what it made is made again.
    return { position, handled: node.leadsToSerial ? Math.min(node.handled, position) : node.handled, state };
  };
  return { nodes: Object.fromEntries(graph.nodes.map((node) => [node.name, entryOf(node)])) };
}

/**
 * Puts a snapshot's states back. Call before the flow starts.
 *
 * @param again sinks whose streams start anew after the restored update, with all nodes that lead to them alone; one that is not in the graph
 * is dropped
 * @throws {WeirError} when the snapshot is of another graph
 */
export function loadNodes(graph: Graph, saved: FlowState, again: readonly string[]): void {
  const fresh = new Set(graph.nodes.filter((node) => graph.afterSerial.has(node) && leadsOnlyTo(node, again)));
  const restored = graph.nodes.filter((node) => !fresh.has(node));
  const known = new Set(graph.nodes.map(({ name }) => name));
  const missing = Object.keys(saved.nodes).filter((name) => !known.has(name) && !isDropped(name, saved, again));
  const added = restored.filter(({ name }) => saved.nodes[name] === undefined).map(({ name }) => name);
  if (missing.length + added.length > 0) {
    throw new WeirError(
      `the snapshot is of another graph: it has ${list(missing)} that this one lacks, and lacks ${list(added)}`,
      'resume it with the pipeline module that made it, or start a new run',
    );
  }
  for (const node of restored) {
    const entry = saved.nodes[node.name]!;
    node.restore(entry);
    node.handedOut = entry.handedOut ?? 0;
    if (node !== graph.serial && !graph.afterSerial.has(node)) node.resumedAt = entry.position;
    node.state?.load(entry.state, entry.position);
  }
}

/** Whether a node that is gone only measured: it stood behind the training, and where it is a sink, its stream is among those that start anew. */
const isDropped = (name: string, { nodes }: FlowState, again: readonly string[]): boolean =>
  again.length > 0 && nodes[name]!.handledItems !== undefined && (!name.endsWith('$') || again.includes(name));

const leadsOnlyTo = (node: Node, sinks: readonly string[]): boolean =>
  node.downstream.size === 0
    ? sinks.includes(node.name)
    : path(node).every((next) => next.downstream.size > 0 || sinks.includes(next.name));

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'nothing' : names.map((name) => `'${name}'`).join(', ');

/** The members of a stage that make, save and load its state. */
interface StateOwner<State> {
  readonly holds?: (state: State) => number;
  start(): State;
  save?(state: State): Data;
  load?(data: Data, position?: number): State;
}

const stride = 256; // samples from one look for states to drop to the next: a look costs as much as several light items

/**
 * A stage's state, and upstream of the training step its recent past.
 *
 * There the stage is ahead of the training, and a snapshot is as of the training: so a state is kept for every item under way, and
 * dropped when the item is through, or a little later.
 */
export class StateHistory<State> {
  state: State;
  private past: { readonly position: number; readonly state: State }[];
  private lookedAt = 0; // position
  private readonly context = currentContext();
  /** As it was before the items of the newest update that has come. */
  private before:
    | { readonly lease: object; readonly state: State; readonly handled: number; readonly handledItems: number }
    | undefined;

  constructor(
    private readonly owner: StateOwner<State>,
    private readonly node: Node,
  ) {
    this.state = owner.start();
    this.past = [{ position: 0, state: this.state }];
    node.state = {
      save: (position) => this.save(position),
      load: (data, position) => {
        this.state = owner.load === undefined ? (data as State) : owner.load(data, position);
        this.past = [{ position, state: this.state }];
      },
      saveBefore: (lease) => {
        const { before } = this;
        if (before?.lease !== lease) return undefined;
        const { lease: _, state, ...handled } = before;
        return { ...handled, state: owner.save === undefined ? (state as Data) : owner.save(state) };
      },
    };
  }

  /** Notes the state before the items of an update, of which the first has come. */
  remember(lease: { readonly position: number }): void {
    if (this.before?.lease === lease) return;
    const { handled } = this.node;
    const earlier = handled === lease.position && { earlier: true as const };
    this.before = { lease, state: this.state, handled, handledItems: this.node.handledItems, ...earlier };
  }

  /** Behind the training step, where the whole graph stands still when a snapshot is taken: the newest state is the one. */
  set(state: State): void {
    this.state = state;
    this.past = [];
  }

  /** The state after the item at `position`. */
  keep(state: State, position: number): void {
    this.node.held = this.owner.holds?.(state) ?? 0;
    if (state !== this.state) {
      this.past.push({ position, state });
      if (position - this.lookedAt >= stride) {
        this.lookedAt = position;
        this.forget(this.context.committed(this.node));
      }
    }
    this.state = state;
  }

  private save(position: number): Data {
    this.forget(position);
    const then = this.past[0];
    const state = then !== undefined && then.position <= position ? then.state : this.state;
    return this.owner.save === undefined ? (state as Data) : this.owner.save(state);
  }

  /** Drops all states but the newest one at or before `position`. */
  private forget(position: number): void {
    let first = 0;
    while (first + 1 < this.past.length && this.past[first + 1]!.position <= position) first++;
    if (first > 0) this.past.splice(0, first);
  }
}

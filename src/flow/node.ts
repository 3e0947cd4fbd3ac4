import { now } from '../surroundings/surroundings.js';
import type { Data, Positioned } from './data.js';
import { WeirError } from './errors.js';
import type { Declaration, Header, Input, Introduce } from './header.js';

/** The part that a node plays in the graph; drawn by `weir graph`. */
export type NodeKind = 'source' | 'stage' | 'workers' | 'serial' | 'sink';

/** In the place of a lease after a resume: that of the update that comes again, and that of an earlier one. */
const [ofSnapshot, gone] = [{ again: true }, { again: false }];

/** How far a node was, as a snapshot has it: see `FlowState`. */
interface Restored {
  readonly position: number;
  readonly handled: number;
  readonly handledItems?: number;
  readonly earlier?: true;
  readonly group?: Node['group'];
}

/** The state of a node, as a snapshot takes it and gives it back. */
export interface NodeState {
  /** The state as plain data, as it was when all items up to `position` had been taken in. */
  save(position: number): Data;
  load(data: Data, position: number): void;
  /** The same as it was before the items of an update, and what had been handled by then; undefined where none has come. */
  saveBefore?(
    lease: object,
  ):
    | { readonly state: Data; readonly handled: number; readonly handledItems: number; readonly earlier?: true }
    | undefined;
}

/**
 * One named part of the graph: its counters, the samples that it holds, and the nodes that follow it.
 *
 * Positions count samples (see `Positioned`). The samples inside are `held`, not `entered − left`, since an operator may drop some. Items come in by rising position: one that an operator of the user's hands on late or twice is refused where it comes in.
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
  /** Items up to this position have been worked on completely, and so many at it. A stage that claims a lease may be inside the next. */
  handled = -1;
  handledItems = 0;
  /** The lease of the newest item that was worked on completely; of the serial node that of its newest output. */
  lease: { readonly again: boolean } | undefined;
  /** Outputs of the item that it is inside of, since its state last moved: a snapshot counts them, as no state tells of them. */
  handedOut = 0;
  readonly downstream = new Set<Node>();
  readonly upstream = new Set<Node>();
  /** The operators without a node of their own on the way to each node that follows, as far as they are known. */
  readonly operators = new Map<Node, readonly string[]>();
  /** Whether the serial stage is this node or downstream: then every item has a position of its own. */
  leadsToSerial = false;
  /** Whether the serial stage is upstream. */
  afterSerial = false;
  /** Whether a stage that claims weights is downstream. */
  leadsToClaim = false;
  /** Whether it claims weights itself. */
  claims = false;
  /** Whether the node's outputs and state do not depend on the order of its items. */
  anyOrder = false;
  /** A log stands before a sink and hands none of its items on: readers of the graph look through it. */
  role: 'log' | undefined;
  state: NodeState | undefined;
  /** The declaration of its items, and whether it hands on those that come, unchanged. */
  record: Declaration | undefined;
  handsOn = false;
  /** The data that it takes in from outside of the graph: data sets, weights of other runs. Compared by ranks and on resume. */
  inputs: readonly Input[] = [];
  /** Makes the headers of its outputs from those of its items; without it they are the same. */
  introduce: Introduce | undefined;
  /** The settings of an update that follow a schedule, of the serial node. */
  settingsAt: ((at: { readonly epoch: number; readonly number: number }) => Readonly<Record<string, Data>>) | undefined;
  /** The headers of its outputs; none before the flow has introduced its nodes. */
  headers: readonly Header[] = [];
  /** Where the node that follows counts other samples too: this node's position at a position there. */
  translate: ((position: number) => number) | undefined;
  /** Records or taps the edge behind this node. */
  listener: Listener | undefined;
  /** Items that came in, and went out, at the position of the one before. */
  repeatsIn = 0;
  repeatsOut = 0;
  /**
   * Of the serial node, where a stage before it makes several items of one: the position before that of its newest output, and how many
   * items it has worked on at that one. A resume makes all of these items again, and the node drops so many.
   */
  group: { readonly before: number; readonly items: number } | undefined;
  /** After a resume: whether a stage before it made several items of one. */
  grouped = false;
  /** After a resume: items of such a group that come once more. */
  private repeated = 0;
  /** After a resume: items up to this position had been taken in already. */
  resumedAt = -1;
  /** Whether items come to it later than they were handed out: an operator of the user's delays them. */
  late = false;
  private heavy = false;
  /** After a resume: items up to this position, and so many at it, had been worked on before the snapshot. */
  private restored = { position: -1, items: 0 };

  constructor(
    readonly name: string,
    readonly kind: NodeKind,
    private readonly demand: { readonly pushing: boolean },
  ) {}

  /** Adds the edge to a node that follows. */
  connect(next: Node, operators: readonly string[] = []): void {
    this.downstream.add(next);
    next.upstream.add(this);
    this.operators.set(next, operators);
  }

  /**
   * Counts an item in.
   *
   * @returns false for an item that had been taken in before the run was resumed: it goes no further
   * @throws {WeirError} where an operator has changed the order, or handed an item on twice
   */
  arrive(position: number): boolean {
    if (!(position > this.entered) && !this.admits(position)) return false;
    this.count(position);
    return true;
  }

  /** Counts in an item that may come in any order. */
  count(position: number): void {
    this.entered = position;
    this.itemsIn++;
    if (!this.demand.pushing) this.late = true;
  }

  /** Says that an item has been worked on completely. @param lease of the update that it was made of, for two may have one position */
  done(position: number, lease?: { readonly again: boolean }): void {
    const isSame = lease === undefined || lease === this.lease || (this.lease === ofSnapshot && lease.again);
    const isMore = position === this.handled && isSame;
    this.handledItems = isMore ? this.handledItems + 1 : 1;
    this.handled = position;
    this.lease = lease;
  }

  /** Whether the newest item that was worked on belongs to an earlier update than that of this lease. */
  isBehind(lease: { readonly again: boolean } | undefined): boolean {
    return this.lease !== undefined && this.lease !== lease && !(this.lease === ofSnapshot && lease?.again);
  }

  /** Goes on from a snapshot. Upstream of the serial stage it does not say how many items were handled. */
  restore({ position, handled, handledItems = Number.POSITIVE_INFINITY, earlier, group }: Restored): void {
    this.entered = this.left = position;
    this.group = group;
    this.grouped = group !== undefined;
    this.repeated = group?.items ?? 0;
    this.handled = handled;
    this.handledItems = handledItems;
    this.restored = { position: handled, items: earlier ? 0 : handledItems };
    this.lease = earlier ? gone : ofSnapshot;
  }

  /** Whether an item that is handed out once more had been worked on before the snapshot. */
  hadHandled(position: number): boolean {
    const { restored } = this;
    return position < restored.position || (position === restored.position && restored.items-- > 0);
  }

  /** Whether an item that is not beyond all before it is to be taken in. */
  private admits(position: number): boolean {
    if (!Number.isFinite(position)) throw noPosition(this.name);
    if (position <= this.resumedAt) return false;
    if (position < this.entered) {
      if (this.afterSerial && this.anyOrder) return true;
      throw outOfOrder(this, position);
    }
    if (position === this.left && this.repeated > 0) {
      this.repeated--;
      return false;
    }
    if (!this.leadsToSerial || this.itemsIn === 0) return true;
    let made = 0; // by stages before it, which may make several items of one
    for (const { repeatsOut } of this.upstream) made += repeatsOut;
    if (++this.repeatsIn > made) throw twice(this, position);
    return true;
  }

  /** Counts an item out; one without a position of its own leaves at `position`. */
  leave(item: unknown, position: number): void {
    const own = (item as Partial<Positioned> | null | undefined)?.position ?? position;
    if (own === this.left) this.repeatsOut++;
    this.left = own;
    this.itemsOut++;
    this.listener?.(item, own);
  }

  /** Whether the items that it holds leave by themselves, without further ones. */
  get works(): boolean {
    return this.kind === 'workers' || this.kind === 'serial';
  }

  /** The items up to `position` gave no output: the nodes that follow count them as seen, unless earlier ones are still under way. */
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
    return this.heavy || (this.itemsIn & 63) === 0 ? now() : 0;
  }

  end(begun: number): void {
    if (begun === 0) return;
    const took = now() - begun;
    this.heavy = took > 0.02;
    this.busy += this.heavy ? took : took * 64;
  }
}

const noPosition = (stage: string): WeirError =>
  new WeirError(
    `stage '${stage}' was handed an item without a position`,
    'let operators before it keep the field: map((item) => ({ ...item, more }))',
  );

const outOfOrder = (node: Node, position: number): WeirError =>
  new WeirError(
    `stage '${node.name}' was handed position ${position} after position ${node.entered}${onTheWay(node)}`,
    whereMerged(node) ?? 'keep the order: use concatMap or weir.ordered in the place of mergeMap',
  );

const twice = (node: Node, position: number): WeirError =>
  new WeirError(
    `stage '${node.name}' was handed position ${position} twice${onTheWay(node)}`,
    whereMerged(node) ??
      'hand every item on once: weir.views makes several renderings of a sample, more epochs show it more often',
  );

const whereMerged = ({ upstream }: Node): string | undefined =>
  upstream.size > 1 ? 'merge streams with weir.mergeInTurn, whose order does not depend on their speeds' : undefined;

/** An edge with the operators on it: `'augment' → take → 'batch'`. */
export const edgeText = (from: Node, to: Node): string =>
  [`'${from.name}'`, ...(from.operators.get(to) ?? []), `'${to.name}'`].join(' → ');

function onTheWay(node: Node): string {
  if (node.upstream.size === 0) return '';
  return `, on the way ${[...node.upstream].map((from) => edgeText(from, node)).join(' and ')}`;
}

/** Whether a source of ours is upstream: it counts the samples outside. */
export const hasSource = (node: Node): boolean =>
  node.kind === 'source' || [...node.upstream].some((from) => hasSource(from));

/** Operators of RxJS that pick or delay items and change none. */
const picking = new Set(
  `audit auditTime debounce debounceTime delay delayWhen distinct distinctUntilChanged elementAt filter finalize find first last
  observeOn sample sampleTime single skip skipLast skipUntil skipWhile subscribeOn take takeLast takeUntil takeWhile tap throttle
  throttleTime`.split(/\s+/),
);

/** A declaration that reaches a node; `changed` where an operator stands on the way that may have changed the items. */
export type Declared = { readonly declaration: Declaration; readonly changed: boolean };

/**
 * The declarations of the items that come to a node: those of the nearest stages before it that make or declare them. None where a
 * stage without a declaration made them, or an operator such as RxJS's `share` hides the stage.
 */
export const declarationsOf = (node: Node): readonly Declared[] =>
  [...node.upstream].flatMap((from) => {
    const changed = (from.operators.get(node) ?? []).some((name) => !picking.has(name));
    if (from.record !== undefined) return [{ declaration: from.record, changed }];
    if (!from.handsOn) return [];
    return declarationsOf(from).map((one) => ({ ...one, changed: one.changed || changed }));
  });

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

/** Called with every item that leaves a node, before it goes on; it must not keep the item nor take long. */
export type Listener = (item: unknown, position: number) => void;

const listening = new WeakMap<Node, Set<Listener>>();

/**
 * Adds a listener to a node; many may listen to one.
 *
 * A node without listeners pays nothing, one with a single listener one call.
 *
 * @returns a call that removes it
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

import { type Observable, type Observer, Subscriber, Subscription } from 'rxjs';
import { checkGraph, operatorsOnTheWay, remarksOnOperators, standstill } from './check.js';
import type { Data, Positioned } from './data.js';
import { WeirError, withLocation } from './errors.js';
import { distinctHeaders, type Header } from './header.js';
import type { Lease } from './lease.js';
import { Node, type NodeKind, path } from './node.js';
import { toError } from './terminal.js';

/** What a flow hands to a snapshot: how far it is, and every node's state by name. */
export type FlowState = {
  readonly nodes: {
    readonly [name: string]: {
      readonly position: number;
      readonly handled: number;
      /** At that position; a snapshot of an older build does not say. */
      readonly handledItems?: number;
      readonly state: Data;
    };
  };
};

export type Outcome = 'done' | 'stopped';

/** Called whenever all stages are at rest: between two updates, and between two slices of work on one. */
export type OnBarrier = (flow: Flow) => void | Promise<void>;

/** While one part of the graph subscribes to the next, these two are known: so a graph draws itself. */
let joining: { flow: Flow; consumer: Node | undefined } | undefined;
let running: Flow | undefined;
/** What the next part that joins is called, whatever it would be called by itself. */
let naming: string | undefined;

/**
 * One graph of streams, from its sources to its sinks: it knows every named node, starts the sources when all is wired,
 * keeps their demand, takes snapshots and ends with the first error or when all sinks are complete.
 */
export class Flow {
  readonly nodes: Node[] = [];
  /** On while a restored update is handed out once more: nodes that had handled it let it pass by. */
  private repeating = false;
  stopping = false;
  /** On while it is held at rest: sources hand out nothing. */
  held = false;
  /** On where the networks are taken over as they are: a further step would be a fault. */
  frozen = false;
  /** On when all sinks are complete. */
  finished = false;
  /** On while a node hands items on: what arrives at another time was held by an operator of the user's. */
  pushing = false;
  /** What the user should know of the graph as it is wired, a line each. */
  readonly remarks: readonly string[];
  /** The error that ends the flow once it is at rest. */
  ending: { readonly error: unknown } | undefined;
  private readonly subscription = new Subscription();
  private readonly starts: (() => void)[] = [];
  private readonly pumps: (() => void)[] = [];
  private readonly closes: (() => void)[] = [];
  private readonly stops: (() => void)[] = [];
  private downstreamOfSerial: Set<Node> | undefined;
  private resting = false;
  private introduced = false;
  private unfinished = 0;
  private finish: ((outcome: Outcome) => void) | undefined;
  private fail: ((error: unknown) => void) | undefined;
  private failure: { error: unknown } | undefined;

  constructor(
    streams: Readonly<Record<string, Observable<unknown>>>,
    private readonly atRest?: OnBarrier,
    /** Told, in a line, of what the flow waits for. */
    readonly tell: (line: string) => void = (line) => void toError(`${line}\n`),
  ) {
    this.unfinished = Object.keys(streams).length;
    if (this.unfinished === 0) {
      throw new WeirError(
        'the graph has no streams',
        'return the streams to listen to from wire: { updates$, tests$ }',
      );
    }
    for (const [key, stream] of Object.entries(streams)) this.drain(key, stream);
    if (this.failure !== undefined) throw this.failure.error;
    checkGraph(this.nodes);
    for (const node of this.nodes) {
      node.trains = node === this.serial || leadsTo(node, this.serial);
      node.trained = this.afterSerial.has(node);
    }
    this.remarks = remarksOnOperators(this.nodes);
  }

  /** The flow that the stage now being subscribed belongs to. Outside of any, a stage works alone. */
  static get current(): Flow | undefined {
    return joining?.flow ?? running;
  }

  /** Adds a node under a name of its own, and the edge to `next`, or else to whoever is subscribing to it. */
  static join(usual: string, kind: NodeKind, next?: Node): Node {
    const name = naming ?? usual;
    naming = undefined;
    const flow = Flow.current;
    const node = new Node(name, kind, flow);
    if (flow !== undefined) {
      if (running === flow) {
        throw new WeirError(
          `'${name}' joins the graph after it has started`,
          'wire every named part from the start: concat, defer, switchMap, repeat and retry subscribe too late',
        );
      }
      if (flow.nodes.some((other) => other.name === name)) {
        throw new WeirError(
          `two parts of the graph are called '${name}'`,
          "give one of them another name, named('readout attack', tangentAttack(…)): snapshots, taps and the drawn graph go by names",
        );
      }
      flow.nodes.push(node);
    }
    if (next === undefined) Flow.edge(node);
    else node.connect(next);
    return node;
  }

  /** Has the part that joins during `subscribe` first called by this name. */
  static naming<T>(name: string, subscribe: () => T): T {
    naming = name;
    try {
      return subscribe();
    } finally {
      naming = undefined;
    }
  }

  /** Adds the edge from `node` to whoever is subscribing now. */
  static edge(node: Node): void {
    if (joining?.consumer !== undefined) node.connect(joining.consumer, operatorsOnTheWay());
  }

  /** Subscribes to `source` on behalf of `node`, so that what is upstream learns who asks. */
  static subscribe<T>(node: Node, source: Observable<T>, observer: Partial<Observer<T>>): Subscription {
    const flow = Flow.current;
    const before = joining;
    if (flow !== undefined) joining = { flow, consumer: node };
    try {
      if (observer instanceof Subscriber) return source.subscribe(observer); // it is linked with what follows
      return source.subscribe({
        next: observer.next?.bind(observer), // of a Subscriber of RxJS's they lie in its class: a spread would lose them
        complete: observer.complete?.bind(observer),
        error: (error) => observer.error?.(withLocation(`on the way to '${node.name}'`, error)), // in an operator of RxJS's, or a user's
      });
    } finally {
      joining = before;
    }
  }

  /**
   * Tells every node what is known of the items that will come to it, sources first; those that do not fit together are refused here,
   * before any work. Call it when everything is wired and, where there is one, the snapshot is put back.
   *
   * A stage that an operator such as `share()` hides from what it listens to is told what the serial stage hands on.
   *
   * @throws {WeirError} what a node throws
   */
  introduce(): void {
    const told = new Map<Node, readonly Header[]>();
    const headersOf = (node: Node): readonly Header[] => {
      const known = told.get(node);
      if (known !== undefined) return known;
      told.set(node, []); // a part that is hidden before the serial stage is told of nothing
      const { serial } = this;
      const before = this.nodes.filter((other) => other.downstream.has(node));
      const hidden = before.length === 0 && node.kind !== 'source' && node !== serial && serial !== undefined;
      const incoming = distinctHeaders((hidden ? [serial] : before).flatMap(headersOf));
      node.headers = node.introduce?.(incoming) ?? incoming;
      told.set(node, node.headers);
      return node.headers;
    };
    for (const node of this.nodes) headersOf(node);
    this.introduced = true;
  }

  /** `start` is called when everything is wired; a flow that is under way calls it at once. */
  onStart(start: () => void): void {
    if (running === this) queueMicrotask(start);
    else this.starts.push(start);
  }

  /** `pump` is called whenever room may have been made downstream. */
  onRoom(pump: () => void): void {
    this.pumps.push(pump);
  }

  /** Says that a node has let something go, so that sources which wait for room look again. */
  roomMade(): void {
    for (const pump of this.pumps) pump();
  }

  /**
   * Hands an item on, so that whoever gets it before this returns knows that nothing delayed it.
   *
   * @param again whether it is a restored update, or what had been made of it, once more
   */
  push(give: () => void, again = false): void {
    const { pushing, repeating } = this;
    this.pushing = true;
    this.repeating = again;
    try {
      give();
    } finally {
      this.pushing = pushing;
      this.repeating = repeating;
    }
  }

  /** Whether an item is handed out once more, now or delayed by an operator of the user's, and not made anew. */
  isAgain(now: Lease | undefined): boolean {
    return this.pushing ? this.repeating : (now?.again ?? false);
  }

  /** Runs to the end, to `stop()` or to the first error. One flow runs at a time in a process. */
  async start(): Promise<Outcome> {
    if (running !== undefined) {
      throw new WeirError('another flow is running in this process', 'run flows one after another');
    }
    if (!this.introduced) this.introduce();
    running = this;
    const stuck = (): void => this.failed(standstill(this.nodes));
    process.once('beforeExit', stuck); // nothing is left that could move the graph
    try {
      const outcome = await new Promise<Outcome>((resolve, reject) => {
        this.finish = resolve;
        this.fail = reject;
        if (this.failure !== undefined) reject(this.failure.error);
        else if (this.unfinished === 0) resolve('done');
        else for (const start of this.starts.splice(0)) start();
        if (this.stopping) this.stop();
      });
      this.finished = outcome === 'done';
      if (this.finished) await this.atRest?.(this);
      return outcome;
    } finally {
      process.off('beforeExit', stuck);
      running = undefined;
      this.close();
    }
  }

  /** Ends the flow where it is at rest next. */
  stop(): void {
    this.stopping = true;
    if (!this.paced) this.restSoon();
    for (const wake of this.stops) wake();
  }

  /** `wake` is called when the flow is to stop, for a stage that waits for items. */
  onStop(wake: () => void): void {
    this.stops.push(wake);
  }

  /** Without a serial stage the graph is at rest whenever the event loop has come round. */
  restSoon(): void {
    if (this.resting || this.finish === undefined) return;
    this.resting = true;
    setImmediate(() => {
      this.resting = false;
      Promise.resolve()
        .then(() => this.rest())
        .catch((error) => this.failed(error));
    });
  }

  /** A serial stage or a source calls this where it is at rest; the answer says whether to go on. */
  rest(): boolean | Promise<boolean> {
    const wait = this.atRest?.(this);
    return wait === undefined ? this.goesOn() : wait.then(() => this.goesOn());
  }

  /** Names of the nodes whose states are as of the newest update: the serial stage, and all behind it. */
  get atUpdate(): readonly string[] {
    const { serial } = this;
    return serial === undefined ? [] : [serial, ...this.afterSerial].map(({ name }) => name);
  }

  /** Whether a serial stage gives the time; else a source does. */
  get paced(): boolean {
    return this.serial !== undefined;
  }

  /** Takes the graph down. */
  close(): void {
    this.subscription.unsubscribe();
    for (const close of this.closes.splice(0)) close();
  }

  /** `close` is called when the flow is over and its last snapshot taken. */
  onClose(close: () => void): void {
    this.closes.push(close);
  }

  /** Every node's state as of the last position that went through to the end. Call at rest. */
  save(): FlowState {
    const nodes: Record<string, FlowState['nodes'][string]> = {};
    for (const node of this.nodes) {
      const position = this.committed(node);
      const { handled, handledItems } = node;
      // before the serial stage items are made again from their source, and how many had come at a position says nothing
      const items = this.afterSerial.has(node) ? { handledItems } : undefined;
      nodes[node.name] = { position, handled, ...items, state: node.state?.save(position) };
    }
    return { nodes };
  }

  /**
   * Puts a snapshot's states back. Call before `start`.
   *
   * @param again sinks whose streams start anew after the restored update, with all that leads to them alone
   * @throws {WeirError} when the snapshot is of another graph.
   */
  load(saved: FlowState, again: readonly string[] = []): void {
    const fresh = new Set(this.nodes.filter((node) => this.afterSerial.has(node) && leadsOnlyTo(node, again)));
    const restored = this.nodes.filter((node) => !fresh.has(node));
    const known = new Set(this.nodes.map(({ name }) => name));
    const missing = Object.keys(saved.nodes).filter((name) => !known.has(name));
    const added = restored.filter((node) => saved.nodes[node.name] === undefined).map((node) => node.name);
    if (missing.length + added.length > 0) {
      throw new WeirError(
        `the snapshot is of another graph: it has ${list(missing)} that this one lacks, and lacks ${list(added)}`,
        'resume it with the pipeline module that made it, or start a new run',
      );
    }
    for (const node of restored) {
      const entry = saved.nodes[node.name]!;
      node.restore(entry.position, entry.handled, entry.handledItems);
      if (node !== this.serial && !this.afterSerial.has(node)) node.resumedAt = entry.position;
      node.state?.load(entry.state, entry.position);
    }
    this.frozen = again.length > 0;
    this.introduced = false; // what a part knows may stand in its state
  }

  /**
   * The position, as `node` counts, up to which all samples have gone all the way: through the serial stage, or where there
   * is none into the slowest sink. What is behind it is made again after a resume.
   */
  committed(node: Node): number {
    const serial = this.serial;
    if (serial !== undefined && (node === serial || this.afterSerial.has(node))) return serial.left;
    if (node.downstream.size === 0) return node.entered;
    let least = Number.POSITIVE_INFINITY;
    for (const next of node.downstream) {
      const position = next === serial ? serial.left : this.committed(next);
      least = Math.min(least, node.translate?.(position) ?? position);
    }
    return least;
  }

  private goesOn(): boolean {
    if (this.stopping) this.finish?.('stopped');
    return !this.stopping;
  }

  private drain(name: string, stream: Observable<unknown>): void {
    const before = joining;
    joining = { flow: this, consumer: undefined };
    try {
      const node = Flow.join(name, 'sink');
      const taken = Flow.subscribe(node, stream, {
        next: (item) => {
          node.count((item as Partial<Positioned> | null)?.position ?? node.entered);
          if (!this.pushing) this.roomMade();
        },
        error: (error) => this.failed(error),
        complete: () => {
          if (--this.unfinished === 0) this.finish?.('done');
        },
      });
      this.subscription.add(taken);
    } finally {
      joining = before;
    }
  }

  private failed(error: unknown): void {
    this.failure ??= { error };
    this.fail?.(error);
  }

  private get serial(): Node | undefined {
    return this.nodes.find((node) => node.kind === 'serial');
  }

  private get afterSerial(): ReadonlySet<Node> {
    const { serial } = this;
    this.downstreamOfSerial ??= new Set(serial === undefined ? [] : path(serial));
    return this.downstreamOfSerial;
  }
}

const leadsTo = (node: Node, end: Node | undefined): boolean =>
  end !== undefined && node.kind !== 'sink' && node.kind !== 'serial' && path(node).includes(end);

const leadsOnlyTo = (node: Node, sinks: readonly string[]): boolean =>
  node.downstream.size === 0
    ? sinks.includes(node.name)
    : path(node).every((next) => next.downstream.size > 0 || sinks.includes(next.name));

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'nothing' : names.map((name) => `'${name}'`).join(', ');

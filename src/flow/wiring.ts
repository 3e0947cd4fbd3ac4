import { type Observable, type Observer, Subscriber, type Subscription } from 'rxjs';
import { Barrier } from './barrier.js';
import { operatorsOnTheWay } from './check.js';
import { Demand } from './demand.js';
import { WeirError, withLocation } from './errors.js';
import type { TrainingLength } from './header.js';
import { Node, type NodeKind } from './node.js';

/** What a stage asks of the flow that it runs in. */
export interface Context {
  /** Whether the stage runs outside of a flow, subscribed to by itself. */
  readonly alone: boolean;
  readonly demand: Demand;
  readonly barrier: Barrier;
  /** Whether the networks are taken over as they are, so that a training step would be a fault. */
  readonly frozen: boolean;
  /** Takes a node into the graph. @throws {WeirError} where its name is taken, or the flow has started */
  add(node: Node): void;
  /** `start` is called when everything is wired; at once where it is. */
  onStart(start: () => void): void;
  /** `wake` is called when the flow is to stop, for a stage that waits for items. */
  onStop(wake: () => void): void;
  /** Ends the training: no update begins behind the one under way, and the graph completes as where its source has ended. */
  endTraining(): void;
  /** `end` is called when the training is to end. */
  onTrainingEnd(end: () => void): void;
  /** `close` is called when the flow is over and its last snapshot taken. */
  onClose(close: () => void): void;
  /** The position, as `node` counts, up to which no sample is made again after a resume. */
  committed(node: Node): number;
  /** `make` is called when the headers of all parts are known, and gives what the user should know of the graph, a line each. */
  remark(make: (training: TrainingLength | undefined) => readonly string[]): void;
  /** Tells the user, in a line, that the flow waits for an operator. */
  notify(line: string): void;
}

/** The context of a stage outside of a flow: nothing limits it, and no snapshot is taken. */
export const alone: Context = {
  alone: true,
  demand: new Demand(true),
  barrier: new Barrier(),
  frozen: false,
  add: () => undefined,
  onStart: (start) => start(),
  onStop: () => undefined,
  endTraining: () => undefined,
  onTrainingEnd: () => undefined,
  onClose: () => undefined,
  committed: () => Number.POSITIVE_INFINITY,
  remark: () => undefined,
  notify: () => undefined,
};

/** While one part of a graph subscribes to the next, both are known here: so a graph draws itself. */
interface Scope {
  readonly context: Context;
  /** The node that is subscribing. */
  readonly consumer?: Node | undefined;
  /** The name of the next node that joins, in the place of its own. */
  readonly name?: string | undefined;
}

const outside: Scope = { context: alone };
let scope = outside;

function within<T>(inner: Scope, run: () => T): T {
  const before = scope;
  scope = inner;
  try {
    return run();
  } finally {
    scope = before;
  }
}

/** The flow that a stage which is being subscribed to belongs to, or `alone`. */
export const currentContext = (): Context => scope.context;

/** Wires a part of this flow's graph that nothing of ours follows: a sink. */
export const wireInto = <T>(context: Context, wire: () => T): T => within({ context }, wire);

/** From now on this flow runs: parts that subscribe late meet it. @returns a call that ends it */
export function enter(context: Context): () => void {
  if (scope !== outside) {
    throw new WeirError('another flow is running in this process', 'run flows one after another');
  }
  scope = { context };
  return () => {
    scope = outside;
  };
}

/** Forgets the flow that runs: the process that it ran in is gone, in a simulation of one that was killed. */
export function abandon(): void {
  scope = outside;
}

/** Adds a node to the graph under a name of its own, and the edge to `next`, or else to the node that is subscribing to it. */
export function join(usual: string, kind: NodeKind, next?: Node): Node {
  const { context, name = usual } = scope;
  if (scope.name !== undefined) scope = { ...scope, name: undefined };
  const node = new Node(name, kind, context.demand);
  context.add(node);
  if (next === undefined) addEdge(node);
  else node.connect(next);
  return node;
}

/** Has the first part that joins during `subscribe` called by this name. */
export const withName = <T>(name: string, subscribe: () => T): T => within({ ...scope, name }, subscribe);

/** Adds the edge from `node` to the node that is subscribing now. */
export function addEdge(node: Node): void {
  if (scope.consumer !== undefined) node.connect(scope.consumer, operatorsOnTheWay());
}

/** Subscribes to `source` on behalf of `node`, so that the parts upstream learn which node asks. */
export function subscribeFrom<T>(node: Node, source: Observable<T>, observer: Partial<Observer<T>>): Subscription {
  const { context } = scope;
  return within(context.alone ? scope : { context, consumer: node }, () => {
    if (observer instanceof Subscriber) return source.subscribe(observer); // it is linked with what follows
    return source.subscribe({
      next: observer.next?.bind(observer), // of a Subscriber of RxJS's they lie in its class: a spread would lose them
      complete: observer.complete?.bind(observer),
      error: (error) => observer.error?.(withLocation(`on the way to '${node.name}'`, error)), // in an operator of RxJS's, or a user's
    });
  });
}

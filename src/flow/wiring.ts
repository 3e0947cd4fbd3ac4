import { type Observable, type Observer, Subscriber, type Subscription } from 'rxjs';
import { operatorsOnTheWay } from './check.js';
import { alone, type Context } from './context.js';
import { WeirError, withLocation } from './errors.js';
import { Node, type NodeKind } from './node.js';

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

import { Barrier } from './barrier.js';
import { Demand } from './demand.js';
import type { Node } from './node.js';

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
  /** `close` is called when the flow is over and its last snapshot taken. */
  onClose(close: () => void): void;
  /** The position, as `node` counts, up to which no sample is made again after a resume. */
  committed(node: Node): number;
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
  onClose: () => undefined,
  committed: () => Number.POSITIVE_INFINITY,
  notify: () => undefined,
};

import type { Data } from './data.js';
import { Flow } from './flow.js';
import type { Node } from './node.js';

/** What of a stage its memory calls for. */
interface StateOwner<State> {
  readonly holds?: (state: State) => number;
  start(): State;
  save?(state: State): Data;
  load?(data: Data, position?: number): State;
}

/**
 * A stage's state, and upstream of the training step its recent past.
 *
 * There the stage is ahead of what has been trained, and a snapshot is of what has been trained: so a state is kept for every
 * item under way, and dropped when the item is through.
 */
export class StateHistory<State> {
  state: State;
  private past: { readonly position: number; readonly state: State }[];
  private readonly flow = Flow.current;

  constructor(
    private readonly value: StateOwner<State>,
    private readonly node: Node,
  ) {
    this.state = value.start();
    this.past = [{ position: 0, state: this.state }];
    node.state = {
      save: (position) => this.save(position),
      load: (data, position) => {
        this.state = value.load === undefined ? (data as State) : value.load(data, position);
        this.past = [{ position, state: this.state }];
      },
    };
  }

  /** Downstream of the training step everything is at rest when a snapshot is taken: the newest state is the one. */
  set(state: State): void {
    this.state = state;
    this.past = [];
  }

  keep(state: State, position: number): void {
    this.node.held = this.value.holds?.(state) ?? 0;
    if (this.flow !== undefined && state !== this.state) {
      this.past.push({ position, state });
      if ((this.past.length & 255) === 0) this.forget(this.flow.committed(this.node));
    }
    this.state = state;
  }

  private save(position: number): Data {
    this.forget(position);
    const then = this.past[0];
    const state = then !== undefined && then.position <= position ? then.state : this.state;
    return this.value.save === undefined ? (state as Data) : this.value.save(state);
  }

  /** Drops all states but the newest one at or before `position`. */
  private forget(position: number): void {
    let first = 0;
    while (first + 1 < this.past.length && this.past[first + 1]!.position <= position) first++;
    if (first > 0) this.past.splice(0, first);
  }
}

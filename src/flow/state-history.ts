import type { Data } from './data.js';
import type { Node } from './node.js';
import { currentContext } from './wiring.js';

/** The members of a stage that make, save and load its state. */
interface StateOwner<State> {
  readonly holds?: (state: State) => number;
  start(): State;
  save?(state: State): Data;
  load?(data: Data, position?: number): State;
}

const fewest = 16; // states up to which none is dropped

/**
 * A stage's state, and upstream of the training step its recent past.
 *
 * There the stage is ahead of the training, and a snapshot is as of the training: so a state is kept for every item under way, and
 * dropped when the item is through. At most twice as many are kept as are needed.
 */
export class StateHistory<State> {
  state: State;
  private past: { readonly position: number; readonly state: State }[];
  private most = fewest;
  private readonly context = currentContext();

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
    };
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
      if (this.past.length > this.most) {
        this.forget(this.context.committed(this.node));
        this.most = Math.max(fewest, 2 * this.past.length);
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

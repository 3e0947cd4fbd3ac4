import { soon } from '../surroundings/surroundings.js';

/** What a running flow does at its barrier. */
export interface BarrierCalls {
  /** Called at the barrier: a snapshot may be taken here, and the run be held. The graph goes on when it is done. */
  readonly answer: () => void | Promise<void>;
  /** Called where the graph stops at the barrier. */
  readonly stopped: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * The barrier of a flow. It is reached after each update and between two slices of the work on one: there the serial stage and all stages
 * behind it stand still.
 *
 * A serial stage reaches it. Without one a source does, whenever the event loop has come round. Outside of a flow nobody answers, and
 * the stage goes on.
 */
export class Barrier {
  private calls: BarrierCalls | undefined;
  private scheduled = false;
  private isPaced = false;
  private isStopping = false;
  private isHeld = false;
  private isWhole = false;
  private error: { readonly error: unknown } | undefined;

  /** Whether a serial stage reaches the barrier; else a source does. */
  get paced(): boolean {
    return this.isPaced;
  }

  /** Whether the flow ends at the next barrier. */
  get stopping(): boolean {
    return this.isStopping;
  }

  /** Whether the flow is held at the barrier: sources hand out nothing. */
  get held(): boolean {
    return this.isHeld;
  }

  /** Whether all work on the newest update is done; else the barrier lies between two slices of it. */
  get whole(): boolean {
    return this.isWhole;
  }

  /** The error that ends the flow after the barrier, so after a last snapshot. */
  get ending(): { readonly error: unknown } | undefined {
    return this.error;
  }

  /** Says that a serial stage reaches the barrier. */
  pace(): void {
    this.isPaced = true;
  }

  start(calls: BarrierCalls): void {
    this.calls = calls;
  }

  end(): void {
    this.calls = undefined;
  }

  /** Answers the barrier. @param whole whether all work on the newest update is done @returns whether the graph is to go on */
  reach(whole = false): boolean | Promise<boolean> {
    this.isWhole = whole;
    const wait = this.calls?.answer();
    return wait === undefined ? this.goesOn() : wait.then(() => this.goesOn());
  }

  /** Where no serial stage reaches the barrier, it is reached when the event loop has come round. */
  reachSoon(): void {
    if (this.isPaced || this.scheduled || this.calls === undefined) return;
    this.scheduled = true;
    soon(() => {
      this.scheduled = false;
      Promise.resolve()
        .then(() => this.reach())
        .catch((error) => this.calls?.failed(error));
    });
  }

  /** Ends the flow at the next barrier. */
  stop(): void {
    this.isStopping = true;
    this.reachSoon();
  }

  /** Ends the flow with an error after the next barrier. */
  endWith(error: unknown): void {
    this.error = { error };
  }

  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
  }

  private goesOn(): boolean {
    if (this.isStopping) this.calls?.stopped();
    return !this.isStopping;
  }
}

import { Observable, type OperatorFunction, Subject } from 'rxjs';
import type { Data, Positioned } from './data.js';
import { WeirError, withLocation } from './errors.js';
import { Flow } from './flow.js';
import { Lease, leaseKey, type WithLease } from './lease.js';
import type { Node } from './node.js';
import type { Stage, Step } from './stage.js';

const longest = 5; // milliseconds that the event loop may be held by many short steps
let last = 0;

/** Lets timers, signals, taps and finished workers have their turn, unless they had it a moment ago. */
export function breathe(): Promise<void> | undefined {
  if (performance.now() - last < longest) return undefined;
  return new Promise((resolve) =>
    setImmediate(() => {
      last = performance.now();
      resolve();
    }),
  );
}

/** A stage whose outputs share something that moves with every step, such as weights. */
export interface Serial<In extends Positioned, Out extends Positioned, State> extends Stage<In, Out, State> {
  /**
   * A step may give no output, where it takes several items to make one. The items since the last output are then under way: a
   * snapshot is as of that output, so what is shared must not have moved since, `save` leaves out what they added to the
   * state, and after a resume they come again.
   */
  next(state: State, item: In): Step<State, Out>;
  /** When no more items come: what those make that have given no output yet; nothing where there are none. */
  flush?(state: State): readonly [state: State, output: Out] | undefined;
  /** The output that belongs to a state, without a step: what the stage emits first, when it starts and when it resumes. */
  repeat(state: State): Out;
  dispose?(state: State): void;
}

/**
 * Lifts a stage whose steps go one after another: the next begins when everyone who claimed the turn of this one is done.
 *
 * The first output is that of the initial state (update 0) or, after a resume, of the restored one; who had handled it lets
 * it pass. Shared: many may listen, and listening late is listening from then on.
 * Bound: the source's capacity. Order: that of positions, each of which comes once; else an error by name.
 * Failure: what had arrived before an error is still worked on, then comes the error.
 */
export function serial<In extends Positioned, Out extends Positioned, State>(
  value: Serial<In, Out, State>,
): OperatorFunction<In, Out & WithLease> {
  return (source) => {
    const outputs = new Subject<Out>();
    let line: Line<In, Out, State> | undefined;
    return new Observable<Out>((subscriber) => {
      const listening = outputs.subscribe(subscriber);
      if (line === undefined) {
        line = new Line(value, outputs);
        line.connect(source);
      } else Flow.edge(line.node);
      return () => {
        listening.unsubscribe();
        if (!outputs.observed) line?.disconnect();
      };
    });
  };
}

class Line<In extends Positioned, Out extends Positioned, State> {
  readonly node: Node;
  private readonly flow = Flow.current;
  private readonly queue: { readonly item: In; readonly samples: number }[] = [];
  private state: State;
  private turn: Lease | undefined;
  private source: { unsubscribe(): void } | undefined;
  private ended: { readonly error?: unknown } | undefined;
  private closed = false;
  private arrived: (() => void) | undefined;

  constructor(
    private readonly value: Serial<In, Out, State>,
    private readonly outputs: Subject<Out>,
  ) {
    this.node = Flow.join(value.name, 'serial');
    this.node.inputs = value.inputs ?? [];
    this.node.record = value.record;
    this.state = value.start();
    this.node.introduce = value.introduce && ((incoming) => value.introduce!(incoming, this.state));
    this.node.state = {
      save: () => (value.save === undefined ? (this.state as Data) : value.save(this.state)),
      load: (data) => {
        value.dispose?.(this.state);
        this.state = value.load === undefined ? (data as State) : value.load(data);
      },
    };
  }

  connect(source: Observable<In>): void {
    const end = (how: { readonly error?: unknown }): void => {
      this.ended ??= how;
      this.arrived?.();
    };
    this.source = Flow.subscribe(this.node, source, {
      next: (item) => {
        const before = this.node.entered;
        try {
          if (this.ended !== undefined || !this.node.arrive(item?.position)) return;
        } catch (error) {
          return end({ error });
        }
        const samples = item.position - before;
        this.node.held += samples;
        this.queue.push({ item, samples });
        this.arrived?.();
      },
      error: (error) => end({ error }),
      complete: () => end({}),
    });
    const start = (): void =>
      void this.run().catch((error) => this.outputs.error(withLocation(`in stage '${this.node.name}'`, error)));
    if (this.flow === undefined) setImmediate(start);
    else {
      this.flow.onStart(() => setImmediate(start));
      this.flow.onClose(() => this.dispose());
      this.flow.onStop(() => this.arrived?.());
    }
  }

  disconnect(): void {
    this.closed = true;
    this.source?.unsubscribe();
    this.arrived?.();
    if (this.flow === undefined) this.dispose();
  }

  private dispose(): void {
    this.turn?.close();
    this.value.dispose?.(this.state);
  }

  private async run(): Promise<void> {
    this.handOut(this.value.repeat(this.state), true);
    while (await this.settled()) {
      const next = this.queue.shift() ?? (await this.arrival());
      if (this.closed) return;
      if (next === undefined && this.ended === undefined) continue; // asked to stop while waiting
      if (next === undefined) return this.finish();
      if (this.flow?.frozen) throw trainsOn(this.value.name);
      this.turn?.close();
      const begun = performance.now();
      const step = this.value.next(this.state, next.item);
      this.node.busy += performance.now() - begun;
      this.node.held -= next.samples;
      this.state = step[0];
      if (step.length === 1) {
        this.flow?.roomMade(); // `handled` and `left` stay at the last output: a resume goes on behind it
        continue;
      }
      this.node.done(next.item.position);
      this.handOut(step[1], false);
    }
  }

  /** Hands on what items that gave no output make in the end, with all that is claimed of it. @returns whether to go on. */
  private async flushed(): Promise<boolean> {
    const step = this.value.flush?.(this.state);
    if (step === undefined) return true;
    this.state = step[0];
    this.node.done(step[1].position);
    this.handOut(step[1], false);
    return await this.settled();
  }

  /** Hands on an output with its turn; whoever needs the weights claims it now. */
  private handOut(output: Out, again: boolean): void {
    this.turn = new Lease(output.position, again);
    const given: Out & { [leaseKey]?: Lease } = output;
    given[leaseKey] = this.turn;
    if (!again) this.node.leave(output, output.position);
    if (this.flow === undefined) this.outputs.next(given);
    else {
      this.flow.push(() => this.outputs.next(given), again);
      this.flow.roomMade();
    }
  }

  /** Does what was claimed, slice by slice. @returns whether to go on. */
  private async settled(): Promise<boolean> {
    for (let work = this.turn?.take(); work !== undefined; work = this.turn?.take()) {
      while (!work.next().done) if (!(await this.rested())) return false;
    }
    return !this.closed && (await this.rested());
  }

  private async rested(): Promise<boolean> {
    await breathe();
    const goOn = this.flow?.rest() ?? true;
    return typeof goOn === 'boolean' ? goOn : await goOn;
  }

  private arrival(): Promise<{ readonly item: In; readonly samples: number } | undefined> {
    return new Promise((resolve) => {
      const look = (): void => {
        const stopping = this.flow?.stopping ?? false;
        if (this.queue.length === 0 && this.ended === undefined && !this.closed && !stopping) return;
        this.arrived = undefined;
        resolve(this.queue.shift());
      };
      this.arrived = look;
      look();
    });
  }

  /** The last turn: tells those who waited for it, then that there are no more, each time with the weights still standing. */
  private async finish(): Promise<void> {
    if (this.ended !== undefined && 'error' in this.ended) {
      if (this.flow !== undefined) this.flow.ending = { error: this.ended.error };
      if (await this.rested()) this.outputs.error(this.ended.error);
      return;
    }
    if (this.turn?.position === 0 && this.node.itemsIn === 0) return this.outputs.error(nothingCame(this.value.name));
    if (!(await this.flushed())) return;
    this.turn?.announceLast();
    if (!(await this.settled())) return;
    const { turn } = this;
    this.outputs.complete();
    for (let work = turn?.take(); work !== undefined; work = turn?.take()) {
      while (!work.next().done) await breathe(); // no snapshot any more: stages without claims have ended
    }
    turn?.close();
  }
}

const nothingCame = (stage: string): WeirError =>
  new WeirError(
    `not one item came to stage '${stage}'`,
    'see that the data set is larger than a batch, and that no operator before it drops everything',
  );

const trainsOn = (stage: string): WeirError =>
  new WeirError(
    `stage '${stage}' would go on training a network that is taken over as it is`,
    'leave the keys that lengthen the training as they were, or start a new run',
  );

import { Observable, type OperatorFunction, Subject } from 'rxjs';
import { now, soon } from '../surroundings/surroundings.js';
import type { Data, Positioned } from './data.js';
import { WeirError, withLocation } from './errors.js';
import { Lease, leaseKey, type WithLease } from './lease.js';
import { declarationsOf, type Node } from './node.js';
import { noStep, type Stage, type Step } from './stage.js';
import { addEdge, currentContext, join, subscribeFrom } from './wiring.js';

const longest = 5; // milliseconds that the event loop may be held by many short steps

/** A stage whose outputs share state that moves with every step, such as weights. */
export interface Serial<In extends Positioned, Out extends Positioned, State> extends Stage<In, Out, State> {
  /**
   * A step may give no output, where it takes several items to make one. The items since the last output are then under way, and a
   * snapshot is as of that output. So the weights must not have moved since, `save` leaves out what those items added to the state, and
   * after a resume they come again.
   */
  next(state: State, item: In): Step<State, Out>;
  /** When no more items come: the output of those that have given none yet; nothing where there are none. */
  flush?(state: State): readonly [state: State, output: Out] | undefined;
  /** The output that belongs to a state, without a step: the stage emits it first, when it starts and when it resumes. */
  repeat(state: State): Out;
  dispose?(state: State): void;
  /** Settings of a step that follow a schedule, such as a learning rate, by name: those of an update of the past must stay as they were. */
  settingsAt?(at: { readonly epoch: number; readonly number: number }): Readonly<Record<string, Data>>;
}

/**
 * Lifts a stage whose steps go one after another: the next begins when all work that claimed the lease of this one is done.
 *
 * The first output is that of the initial state (update 0) or, after a resume, of the restored one; a stage that had handled it lets it
 * pass. Shared: many may listen, and a late listener gets the outputs from then on.
 * Bound: the source's capacity. Order: that of positions, each of which comes once; else an error by name.
 * Failure: the items that had arrived before an error are still worked on, then comes the error.
 *
 * @example
 * const counted$ = batches$.pipe(
 *   serial<Samples, Positioned & { readonly sum: number }, { readonly position: number; readonly sum: number }>({
 *     name: 'samples seen',
 *     start: () => ({ position: 0, sum: 0 }),
 *     next({ sum }, { position, labels }) {
 *       const state = { position, sum: sum + labels.length };
 *       return [state, state];
 *     },
 *     repeat: (state) => state,
 *   }),
 * );
 */
export function serial<In extends Positioned, Out extends Positioned, State>(
  value: Serial<In, Out, State>,
): OperatorFunction<In, Out & WithLease> {
  return (source) => {
    const outputs = new Subject<Out>();
    let runner: SerialRunner<In, Out, State> | undefined;
    return new Observable<Out>((subscriber) => {
      const listening = outputs.subscribe(subscriber);
      if (runner === undefined) {
        runner = new SerialRunner(value, outputs);
        runner.connect(source);
      } else addEdge(runner.node);
      return () => {
        listening.unsubscribe();
        if (!outputs.observed) runner?.disconnect();
      };
    });
  };
}

class SerialRunner<In extends Positioned, Out extends Positioned, State> {
  readonly node: Node;
  private readonly context = currentContext();
  private readonly queue: { readonly item: In; readonly samples: number }[] = [];
  private state: State;
  private lease: Lease | undefined;
  private source: { unsubscribe(): void } | undefined;
  private ended: { readonly error?: unknown } | undefined;
  private closed = false;
  private arrived: (() => void) | undefined;
  /** The items taken, those without an output included: the newest position, the one before it, and how many are at it. */
  private taken = { position: 0, before: 0, items: 0 };
  private breathed = Number.NEGATIVE_INFINITY; // milliseconds

  constructor(
    private readonly value: Serial<In, Out, State>,
    private readonly outputs: Subject<Out>,
  ) {
    this.node = join(value.name, 'serial');
    this.node.inputs = value.inputs ?? [];
    this.node.record = value.record;
    this.node.settingsAt = value.settingsAt && ((at) => value.settingsAt!(at));
    this.state = value.start();
    this.node.introduce =
      value.introduce && ((incoming) => value.introduce!(incoming, this.state, declarationsOf(this.node)));
    if (value.remarks) currentContext().remark((training) => value.remarks!(declarationsOf(this.node), training));
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
    this.source = subscribeFrom(this.node, source, {
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
    const start = (): void => {
      const { left, group } = this.node;
      this.taken = { position: left, before: group?.before ?? left, items: group?.items ?? 0 };
      void this.run().catch((error) => this.outputs.error(withLocation(`in stage '${this.node.name}'`, error)));
    };
    this.context.onStart(() => soon(start));
    this.context.onStop(() => this.arrived?.());
    this.context.onTrainingEnd(() => this.end());
    this.context.onClose(() => this.dispose());
  }

  /** Ends with the update under way, as if the source had ended there: what has arrived behind it is dropped. */
  private end(): void {
    this.ended ??= {};
    this.source?.unsubscribe();
    this.queue.length = 0;
    this.node.held = 0;
    this.arrived?.();
  }

  disconnect(): void {
    this.closed = true;
    this.source?.unsubscribe();
    this.arrived?.();
    if (this.context.alone) this.dispose();
  }

  private dispose(): void {
    this.lease?.close();
    this.value.dispose?.(this.state);
  }

  private async run(): Promise<void> {
    this.handOut(this.value.repeat(this.state), true);
    while (await this.workDone()) {
      const next = this.queue.shift() ?? (await this.arrival());
      if (this.closed) return;
      if (next === undefined && this.ended === undefined) continue; // asked to stop while waiting
      if (next === undefined) return this.finish();
      if (this.context.frozen) throw trainsOn(this.value.name);
      this.lease?.close();
      const begun = now();
      const step = this.value.next(this.state, next.item);
      if (!Array.isArray(step)) throw noStep(this.value.name, step);
      this.node.busy += now() - begun;
      this.node.held -= next.samples;
      this.take(next.item.position);
      this.state = step[0];
      if (step.length === 1) {
        this.context.demand.creditReturned(); // `handled` and `left` stay at the last output: a resume goes on behind it
        continue;
      }
      this.node.handled = next.item.position;
      this.handOut(step[1], false);
    }
  }

  private take(position: number): void {
    const { taken } = this;
    this.taken =
      position === taken.position
        ? { ...taken, items: taken.items + 1 }
        : { position, before: taken.position, items: 1 };
  }

  /** Hands on the output of the items that gave none, and does the work that claims it. @returns whether to go on. */
  private async flushed(): Promise<boolean> {
    const step = this.value.flush?.(this.state);
    if (step === undefined) return true;
    this.state = step[0];
    this.node.handled = step[1].position;
    this.handOut(step[1], false);
    return await this.workDone();
  }

  /** Hands on an output with its lease; a stage that needs the weights claims it now. */
  private handOut(output: Out, again: boolean): void {
    this.lease = this.node.lease = new Lease(output.position, again);
    const given: Out & { [leaseKey]?: Lease } = output;
    given[leaseKey] = this.lease;
    if (!again) {
      this.node.leave(output, output.position);
      this.node.group = this.taken;
    }
    const { demand } = this.context;
    demand.push(() => this.outputs.next(given), again);
    demand.creditReturned();
  }

  /** Does the claimed work, slice by slice. @returns whether to go on. */
  private async workDone(): Promise<boolean> {
    for (let work = this.lease?.take(); work !== undefined; work = this.lease?.take()) {
      while (!work.next().done) if (!(await this.pastBarrier())) return false;
    }
    return !this.closed && (await this.pastBarrier(true));
  }

  /** Lets the event loop come round to timers, signals, taps and finished workers, unless it did a few milliseconds ago. */
  private breathe(): Promise<void> | undefined {
    if (now() - this.breathed < longest) return undefined;
    return new Promise((resolve) =>
      soon(() => {
        this.breathed = now();
        resolve();
      }),
    );
  }

  private async pastBarrier(whole = false): Promise<boolean> {
    await this.breathe();
    const goOn = this.context.barrier.reach(whole);
    return typeof goOn === 'boolean' ? goOn : await goOn;
  }

  private arrival(): Promise<{ readonly item: In; readonly samples: number } | undefined> {
    return new Promise((resolve) => {
      const check = (): void => {
        const { stopping } = this.context.barrier;
        if (this.queue.length === 0 && this.ended === undefined && !this.closed && !stopping) return;
        this.arrived = undefined;
        resolve(this.queue.shift());
      };
      this.arrived = check;
      check();
    });
  }

  /** Announces the last lease to the stages that wait for it, then completes the stream, each time with the weights still standing. */
  private async finish(): Promise<void> {
    if (this.ended !== undefined && 'error' in this.ended) {
      this.context.barrier.endWith(this.ended.error);
      if (await this.pastBarrier()) this.outputs.error(this.ended.error);
      return;
    }
    if (this.lease?.position === 0 && this.node.itemsIn === 0) return this.outputs.error(nothingCame(this.value.name));
    if (!(await this.flushed())) return;
    this.lease?.announceLast();
    if (!(await this.workDone())) return;
    const { lease } = this;
    this.outputs.complete();
    for (let work = lease?.take(); work !== undefined; work = lease?.take()) {
      while (!work.next().done) await this.breathe(); // no snapshot any more: stages without claims have ended
    }
    lease?.close();
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

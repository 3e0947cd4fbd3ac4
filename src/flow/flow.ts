import { type Observable, Subscription } from 'rxjs';
import { whenIdle } from '../surroundings/surroundings.js';
import { Barrier } from './barrier.js';
import { checkGraph, remarksOnOperators, standstill } from './check.js';
import type { Data, Positioned } from './data.js';
import { Demand } from './demand.js';
import { WeirError } from './errors.js';
import { Graph } from './graph.js';
import type { TrainingLength } from './header.js';
import type { Node } from './node.js';
import { type FlowState, loadNodes, saveNodes } from './state.js';
import { toError } from './terminal.js';
import { type Context, enter, join, subscribeFrom, wireInto } from './wiring.js';

/** How a flow ended: with all sinks complete, or at a barrier on the way, from where it can be resumed. */
export type Outcome = 'done' | 'stopped';

/** Called at every barrier: between two updates, and between two slices of work on one. */
export type OnBarrier = (flow: Flow) => void | Promise<void>;

/**
 * One graph of streams, from its sources to its sinks: it wires and checks the graph, starts the sources, takes snapshots, and ends with the
 * first error or when all sinks are complete.
 */
export class Flow implements Context {
  readonly alone = false;
  readonly demand = new Demand();
  readonly barrier = new Barrier();
  /** What the user should know of the graph as it is wired, a line each; of its parts once they are introduced. */
  readonly remarks: string[];
  private readonly remarking: ((training: TrainingLength | undefined) => readonly string[])[] = [];
  private readonly graph = new Graph();
  private readonly subscription = new Subscription();
  private readonly starts: (() => void)[] = [];
  private readonly stops: (() => void)[] = [];
  private readonly trainingEnds: (() => void)[] = [];
  private readonly closes: (() => void)[] = [];
  private running = false;
  private introduced = false;
  private takenOver = false;
  private completed = false;
  private readonly unfinished = new Set<Node>();
  private trainingEnded = false;
  private finish: ((outcome: Outcome) => void) | undefined;
  private fail: ((error: unknown) => void) | undefined;
  private failure: { readonly error: unknown } | undefined;

  /**
   * Wires the graph; nothing flows yet.
   *
   * @param streams the streams to listen to, by the names of their sinks
   * @param notify is called with a line when the flow waits for an operator of the user's
   * @throws {WeirError} where the graph could not run
   */
  constructor(
    streams: Readonly<Record<string, Observable<unknown>>>,
    private readonly onBarrier?: OnBarrier,
    readonly notify: (line: string) => void = (line) => void toError(`${line}\n`),
  ) {
    if (Object.keys(streams).length === 0) {
      throw new WeirError(
        'the graph has no streams',
        'return the streams to listen to from wire: { updates$, tests$ }',
      );
    }
    for (const [name, stream] of Object.entries(streams)) wireInto(this, () => this.drain(name, stream));
    if (this.failure !== undefined) throw this.failure.error;
    checkGraph(this.nodes);
    this.graph.markSides();
    if (this.graph.serial !== undefined) this.barrier.pace();
    this.remarks = remarksOnOperators(this.nodes);
  }

  get nodes(): readonly Node[] {
    return this.graph.nodes;
  }

  /** Names of the nodes whose states are as of the newest update: the serial stage, and all behind it. */
  get atUpdate(): readonly string[] {
    const { serial, afterSerial } = this.graph;
    return serial === undefined ? [] : [serial, ...afterSerial].map(({ name }) => name);
  }

  /** Whether all sinks are complete. */
  get finished(): boolean {
    return this.completed;
  }

  /** Whether a stage has ended the training: no update begins any more. */
  get trainingOver(): boolean {
    return this.trainingEnded;
  }

  get frozen(): boolean {
    return this.takenOver;
  }

  add(node: Node): void {
    if (this.running) {
      throw new WeirError(
        `'${node.name}' joins the graph after it has started`,
        'wire every named part from the start: concat, defer, switchMap, repeat and retry subscribe too late',
      );
    }
    this.graph.add(node);
  }

  remark(make: (training: TrainingLength | undefined) => readonly string[]): void {
    this.remarking.push(make);
  }

  onStart(start: () => void): void {
    if (this.running) queueMicrotask(start);
    else this.starts.push(start);
  }

  onStop(wake: () => void): void {
    this.stops.push(wake);
  }

  endTraining(): void {
    if (this.trainingEnded) return;
    this.trainingEnded = true;
    for (const end of this.trainingEnds.splice(0)) end();
  }

  onTrainingEnd(end: () => void): void {
    this.trainingEnds.push(end);
  }

  onClose(close: () => void): void {
    this.closes.push(close);
  }

  committed(node: Node): number {
    return this.graph.committed(node);
  }

  /**
   * Hands every node the headers of the items that will come to it, sources first. Headers that do not fit together are refused here, before
   * any work. Call it when everything is wired and, where there is one, the snapshot is put back.
   *
   * A stage that an operator such as `share()` hides from its source gets the headers of the serial stage.
   *
   * @throws {WeirError} the error of a node that cannot work with such items
   */
  introduce(): void {
    this.graph.introduce();
    this.introduced = true;
    const training = this.graph.serial?.headers.find((header) => header.training)?.training;
    this.remarks.push(...this.remarking.splice(0).flatMap((make) => make(training)));
  }

  /** The state of one node, as a snapshot holds it. Call at a barrier. */
  stateOf(node: Node): Data {
    return node.state?.save(this.graph.committed(node));
  }

  /** Every node's state as of the last position that went through to the end. Call at a barrier. */
  save(): FlowState {
    return saveNodes(this.graph, this.barrier.whole || this.completed);
  }

  /**
   * Puts a snapshot's states back. Call before `start`.
   *
   * @param again sinks whose streams start anew after the restored update, with all nodes that lead to them alone
   * @throws {WeirError} when the snapshot is of another graph
   */
  load(saved: FlowState, again: readonly string[] = []): void {
    loadNodes(this.graph, saved, again);
    this.takenOver = again.length > 0;
    this.introduced = false; // the headers of a stage may depend on its state
  }

  /** Runs to the end, to `stop()` or to the first error. One flow runs at a time in a process. */
  async start(): Promise<Outcome> {
    const leave = enter(this);
    const stuck = (): void => this.failed(standstill(this.nodes));
    let takeBack: (() => void) | undefined;
    try {
      if (!this.introduced) this.introduce();
      this.running = true;
      takeBack = whenIdle(stuck); // nothing is left that could move the graph
      const outcome = await new Promise<Outcome>((resolve, reject) => {
        this.finish = resolve;
        this.fail = reject;
        this.barrier.start({
          answer: () => this.onBarrier?.(this),
          stopped: () => resolve('stopped'),
          failed: (error) => this.failed(error),
        });
        if (this.failure !== undefined) reject(this.failure.error);
        else if (this.isOver) resolve('done');
        else for (const start of this.starts.splice(0)) start();
        if (this.barrier.stopping) this.stop();
      });
      this.completed = outcome === 'done';
      if (this.completed) await this.onBarrier?.(this);
      return outcome;
    } finally {
      takeBack?.();
      this.barrier.end();
      this.running = false;
      leave();
      this.close();
    }
  }

  /** Ends the flow at the next barrier. */
  stop(): void {
    this.barrier.stop();
    for (const wake of this.stops) wake();
  }

  /** Takes the graph down. */
  close(): void {
    this.subscription.unsubscribe();
    for (const close of this.closes.splice(0)) close();
  }

  /** Whether all sinks are complete. Of a training that was ended only those behind it, for what is before it would go on. */
  private get isOver(): boolean {
    const { unfinished, trainingEnded, graph } = this;
    return unfinished.size === 0 || (trainingEnded && [...unfinished].every((sink) => !graph.afterSerial.has(sink)));
  }

  private drain(name: string, stream: Observable<unknown>): void {
    const node = join(name, 'sink');
    this.unfinished.add(node);
    const taken = subscribeFrom(node, stream, {
      next: (item) => {
        node.count((item as Partial<Positioned> | null)?.position ?? node.entered);
        this.demand.itemDone();
      },
      error: (error) => this.failed(error),
      complete: () => {
        this.unfinished.delete(node);
        if (this.isOver) this.finish?.('done');
      },
    });
    this.subscription.add(taken);
  }

  private failed(error: unknown): void {
    this.failure ??= { error };
    this.fail?.(error);
  }
}

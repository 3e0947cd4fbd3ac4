import { inspect } from 'node:util';
import { Observable, type OperatorFunction, type Subscriber, share } from 'rxjs';
import { now } from '../surroundings/surroundings.js';
import { type Data, isRecord, type Positioned } from './data.js';
import { WeirError, withLocation } from './errors.js';
import type { Declaration, Header, Input, TrainingLength } from './header.js';
import { type Lease, leaseOf, type Work } from './lease.js';
import { type Declared, declarationsOf, type Node } from './node.js';
import { StateHistory } from './state.js';
import { addEdge, currentContext, join, subscribeFrom } from './wiring.js';

/** The new state of a stage after an item, and an output if there is one. */
export type Step<State, Out> = readonly [state: State] | readonly [state: State, output: Out];

/**
 * A stage that has state, as a value: it hides nothing in closures, so it can be saved, restored and compared without its help.
 *
 * A stage without state has the state `null`. The engine never changes a state; `next` returns a new one.
 *
 * An item that carries tensors belongs to the stage that receives it; weights of an update stay the training's, and are only read. An error
 * that `next` throws ends the run by the stage's name. `stageTests` of `weir-engine/testing` holds one of your own to the rules.
 *
 * @example
 * const seen: Stage<Samples, Positioned & { readonly samples: number }, number> = {
 *   name: 'samples seen',
 *   start: () => 0,
 *   next(before, { position, labels }) {
 *     const samples = before + labels.length;
 *     return [samples, { position, samples }];
 *   },
 * };
 */
export interface Stage<In extends Positioned, Out, State> {
  readonly name: string;
  /** A 'log' writes the items of the sink behind it and hands none on: the drawn graph and the meter leave it out. */
  readonly role?: 'log';
  /** With 'weights' the next update waits until `next` is through with this one. */
  readonly claims?: 'weights';
  /** Samples that a state holds back. */
  readonly holds?: (state: State) => number;
  /** Samples that must have come before anything goes out. */
  readonly needs?: number;
  /** The declaration of its outputs, by which they are logged, drawn and exported; made by `record`. */
  readonly record?: Declaration;
  /** Hands on the items that come, as they are or with fields added: the stages that follow see the declaration of the stage before. */
  readonly handsOn?: boolean;
  /**
   * Gets every item while the weights of its update stand: one that an operator has delayed is an error. So what is done by its state is
   * done at that update, whatever the timing.
   */
  readonly prompt?: boolean;
  /**
   * Whether the training ends with this state: no update begins behind the one under way, and all streams complete as at the end of the
   * data. A resumed run asks for the restored state. The stage is `prompt`.
   */
  readonly endsTraining?: (state: State) => boolean;
  /** Data sets and the like that it takes in besides its items: a resumed run makes sure that they have not changed. */
  readonly inputs?: readonly Input[];
  /** Behind training its items may come in any order, as from streams that RxJS's `merge` joins: its outputs and state do not depend on it. */
  readonly anyOrder?: boolean;
  start(): State;
  /**
   * One item gives one step, or several by a generator; never a promise. In a stage that claims weights the run may breathe, snapshot or
   * stop between any two steps. Called again with the last state and the same item, it must go on from there. Where a step hands its
   * state back as it was, as a stage without state does, the engine counts the outputs since the state last moved. On resume the stage
   * makes these once more, and the engine drops them.
   */
  next(state: State, item: In): Step<State, Out> | Iterable<Step<State, Out>>;
  /**
   * For a stage that claims weights and whose output other stages claim: the output that it had handed out last for this item, made once
   * more. The engine asks for it when a restored update comes again, in the place of the work that the stage had done on it. A stage
   * that had handled that output lets it pass, and one that was inside of it goes on. Such a stage is shared: many may listen.
   */
  repeat?(state: State, item: In): Out | undefined;
  /**
   * Called with the headers of its items before any of them, when the graph is wired and its snapshot put back.
   *
   * @param declared the declarations of its items, as far as stages before it have some
   * @returns the headers of its outputs; without this method, the same
   * @throws {WeirError} where it cannot work with such items
   */
  introduce?(incoming: readonly Header[], state: State, declared: readonly Declared[]): readonly Header[];
  /** Gives what the user should know of the stage as it is wired, a line each; called behind `introduce`. */
  remarks?(declared: readonly Declared[], training: TrainingLength | undefined): readonly string[];
  /** The outputs that are left over when the source completes. */
  end?(state: State): Iterable<Out>;
  /** The state as plain data; by default the state itself. */
  save?(state: State): Data;
  /** @param position the source goes on behind it: items up to it had been worked on */
  load?(data: Data, position?: number): State;
}

/** An operator for RxJS's `pipe` that is also the stage it was lifted from, for code that runs stages in another way (`eachMember`). */
export type StageOperator<In extends Positioned, Out, State> = OperatorFunction<In, Out> & Stage<In, Out, State>;

/**
 * Lifts a stage to an operator, which keeps the members of the stage.
 *
 * Bound: what `holds` says. Order: that of the items, which must come by rising position, each once on the way to training. Failure: an
 * error thrown by `next` ends the stream. A stage that claims weights does its work under the lease of the update, after the stages that
 * claimed before it.
 * Cost: at most 60 ns an item and stage, measured by `npm run bench -- graph-throughput`. So the path of an item makes no closure with a
 * name: where names are kept, as tsx keeps them, each costs 200 ns.
 *
 * @example updates$.pipe(every({ updates: 10 }), stage(spectralTick(regularizer)))
 */
export function stage<In extends Positioned, Out, State>(value: Stage<In, Out, State>): StageOperator<In, Out, State> {
  const operator: OperatorFunction<In, Out> = (source) => {
    let joined: Node | undefined;
    const stream = new Observable<Out>((subscriber) => {
      const context = currentContext();
      const { demand } = context;
      const node = join(value.name, 'stage');
      joined = node;
      node.role = value.role;
      node.needs = value.needs ?? 0;
      node.inputs = value.inputs ?? [];
      node.anyOrder = value.anyOrder ?? false;
      node.record = value.record;
      node.handsOn = value.handsOn ?? false;
      node.claims = value.claims !== undefined;
      const history = new StateHistory(value, node);
      node.introduce =
        value.introduce && ((incoming) => value.introduce!(incoming, history.state, declarationsOf(node)));
      if (value.remarks) context.remark((training) => value.remarks!(declarationsOf(node), training));
      const prompt = value.prompt || value.endsTraining !== undefined;
      const ending = (): void => {
        if (value.endsTraining?.(history.state)) context.endTraining();
      };
      if (value.endsTraining !== undefined) context.onStart(ending);
      let claimed = 0;
      let completed = false;
      const failed = (error: unknown): unknown => withLocation(`in stage '${node.name}'`, error);

      const finish = (): void => {
        try {
          for (const out of value.end?.(history.state) ?? []) {
            const position = (out as Partial<Positioned> | null)?.position ?? node.entered;
            if (position <= node.resumedAt) continue; // trained on before the snapshot, in which the stage still holds its items
            hand(node, subscriber, out, position);
          }
          node.held = 0;
          subscriber.complete();
        } catch (error) {
          subscriber.error(failed(error));
        }
      };

      let sameState = 0; // outputs of the item under way since the state last moved

      const apply = (step: Step<State, Out>, item: In): void => {
        const moved = !Object.is(step[0], history.state);
        if (moved) sameState = node.handedOut = 0;
        history.set(step[0]);
        if (step.length === 1) return;
        if (!moved) {
          if (++sameState <= node.handedOut) return; // handed out before the snapshot
          node.handedOut = sameState;
          freeze(step[0]); // a state that is changed in place would hide how far the item is
        }
        demand.push(() => hand(node, subscriber, step[1], item.position), isRedone(item));
      };

      /** Whether the outputs of an item are made again after a resume, since stages that follow had not worked on all of them. */
      const isRedone = (item: In): boolean =>
        node.leadsToClaim && value.repeat === undefined && leaseOf(item)?.again === true;

      /**
       * All steps of one item, as slices of work under its lease. A step is applied when the one after it is made: so the last step is
       * applied and the item counted as handled at once. A snapshot in between would have the item worked on twice.
       */
      function* work(item: In): Work {
        try {
          sameState = 0;
          let made: Step<State, Out> | undefined;
          for (const step of stepsOf(() => value.next(history.state, item), node)) {
            if (subscriber.closed) return;
            if (made !== undefined) {
              apply(made, item);
              yield;
            }
            made = step;
          }
          if (made !== undefined) apply(made, item);
          node.done(item.position, leaseOf(item));
          ending();
          node.handedOut = 0;
        } catch (error) {
          subscriber.error(failed(error));
        } finally {
          claimed--;
          if (completed && claimed === 0) finish();
        }
      }

      /** An item that was worked on before the snapshot: only its output is handed on, as the stages that follow may need it. */
      function* again(item: In): Work {
        try {
          const out = value.repeat?.(history.state, item);
          if (out !== undefined) demand.push(() => subscriber.next(out), true);
        } catch (error) {
          subscriber.error(failed(error));
        } finally {
          claimed--;
          if (completed && claimed === 0) finish();
        }
      }

      const claim = (lease: Lease, work: Work): void => {
        lease.claim(value.name, work);
        claimed++;
      };

      const run = (item: In): void => {
        const begun = node.begin();
        const result = value.next(history.state, item);
        if (isStep(result)) {
          node.end(begun);
          history.keep(result[0], item.position);
          if (result.length > 1) hand(node, subscriber, result[1] as Out, item.position);
          else if (node.held === 0) node.pass(item.position);
        } else {
          for (const step of severalSteps(result, node.name)) {
            history.keep(step[0], item.position);
            if (step.length > 1) hand(node, subscriber, step[1] as Out, item.position);
          }
          node.end(begun);
        }
        node.done(item.position, node.afterSerial ? leaseOf(item) : undefined);
        if (value.endsTraining !== undefined) ending();
        demand.itemDone();
      };

      return subscribeFrom(node, source, {
        next(item) {
          try {
            const lease = leaseOf(item);
            if (demand.isAgain(lease) && node.hadHandled(item.position)) {
              if (value.repeat !== undefined && lease !== undefined) claim(lease, again(item));
              return;
            }
            if (!node.arrive(item?.position)) return;
            if (prompt && !demand.pushing) throw delayed(node.name, item.position);
            if (lease !== undefined && node.leadsToClaim && value.repeat === undefined) history.remember(lease);
            if (lease === undefined || value.claims === undefined) run(item);
            else claim(lease, work(item));
          } catch (error) {
            subscriber.error(failed(error));
          }
        },
        error: (error) => subscriber.error(error),
        complete() {
          completed = true;
          if (claimed === 0) finish();
        },
      });
    });
    if (value.repeat === undefined) return stream;
    const shared = stream.pipe(share());
    return new Observable((subscriber) => {
      if (joined !== undefined) addEdge(joined);
      return shared.subscribe(subscriber);
    });
  };
  return Object.defineProperties(operator, Object.getOwnPropertyDescriptors(value)) as StageOperator<In, Out, State>;
}

const delayed = (stage: string, position: number): WeirError =>
  new WeirError(
    `stage '${stage}' got its item of sample ${position} late: an operator on the way has delayed it`,
    'put it next to the measurement, with no delay, debounce or concatMap between them',
  );

/** Hands an output on and counts it. */
export function hand<Out>(node: Node, subscriber: Subscriber<Out>, out: Out, position: number): void {
  node.leave(out, position);
  subscriber.next(out);
}

/** The steps that `next` gave for one item. @throws {WeirError} where it is no step and has none, such as a promise */
export function severalSteps<State, Out>(
  result: Step<State, Out> | Iterable<Step<State, Out>>,
  name: string,
): Iterable<Step<State, Out>> {
  if (isStep(result)) return [result];
  if (typeof (result as Partial<Iterable<unknown>> | undefined)?.[Symbol.iterator] === 'function') return result;
  throw noStep(name, result);
}

/** The error for what a stage returned in the place of a step. */
export function noStep(name: string, result: unknown): WeirError {
  const waits = typeof result === 'object' && result !== null && ('then' in result || Symbol.asyncIterator in result);
  return new WeirError(
    `stage '${name}': next returned ${waits ? 'a promise, or steps that come later' : `${inspect(result)}, which is no step`}`,
    waits
      ? 'write next or *next without async; what waits, such as the reading of a file, goes into an operator before the stage: weir.ordered'
      : 'return [state] or [state, output], or write *next and yield such steps',
  );
}

function isStep<State, Out>(result: Step<State, Out> | Iterable<Step<State, Out>>): result is Step<State, Out> {
  return Array.isArray(result);
}

/** The steps of one item; the time in which they are made counts as the node's own work. */
function* stepsOf<State, Out>(
  next: () => Step<State, Out> | Iterable<Step<State, Out>>,
  node: Node,
): Generator<Step<State, Out>> {
  let begun = now();
  const result = next();
  if (isStep(result)) {
    node.busy += now() - begun;
    yield result;
    return;
  }
  for (const step of severalSteps(result, node.name)) {
    node.busy += now() - begun;
    yield step;
    begun = now();
  }
  node.busy += now() - begun;
}

/** Has a change of plain data, in place, end in an error. */
function freeze(state: unknown): void {
  if (!(Array.isArray(state) || isRecord(state)) || Object.isFrozen(state)) return;
  Object.freeze(state);
  for (const value of Object.values(state)) freeze(value);
}

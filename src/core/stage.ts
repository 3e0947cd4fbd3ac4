import { Observable, type OperatorFunction, type Subscriber, share } from 'rxjs';
import type { Data } from './data.js';
import { WeirError } from './errors.js';
import { Flow } from './flow.js';
import type { Input } from './input.js';
import type { Positioned } from './item.js';
import { Memory } from './memory.js';
import type { Node } from './node.js';
import { turn, type Work } from './turn.js';

/** What a stage makes of an item: its new state, and an output if there is one. */
export type Step<State, Out> = readonly [state: State] | readonly [state: State, output: Out];

/**
 * A stage that has state, as a value: it hides nothing in closures, so it can be saved, restored and compared without its help.
 *
 * A stage without state has the state `null`. The engine never changes a state; `next` returns a new one.
 */
export interface Stage<In extends Positioned, Out, State> {
  readonly name: string;
  /** With 'weights' the next update waits until `next` is through with this one. */
  readonly claims?: 'weights';
  /** Samples that a state holds back. */
  readonly holds?: (state: State) => number;
  /** Samples that must have come before anything goes out. */
  readonly needs?: number;
  /** Data sets and the like that it takes in besides its items: a run that goes on makes sure that they are what they were. */
  readonly inputs?: readonly Input[];
  start(): State;
  /**
   * One item gives one step, or several. In a stage that claims weights the run may breathe, snapshot or stop between any
   * two; called again with the last state and the same item it must go on from there.
   */
  next(state: State, item: In): Step<State, Out> | Iterable<Step<State, Out>>;
  /**
   * For a stage that claims weights and whose output others claim in turn: what it had handed out last for this item, made once
   * more. The engine asks for it when a restored update comes again, in the place of the work that the stage had done on it;
   * who had handled that output lets it pass, and who was inside of it goes on. Such a stage is shared: many may listen.
   */
  repeat?(state: State, item: In): Out | undefined;
  /** What is left over when the source completes. */
  end?(state: State): Iterable<Out>;
  /** The state as plain data; by default the state itself. */
  save?(state: State): Data;
  /** @param position where the source goes on: items up to it had been worked on */
  load?(data: Data, position?: number): State;
}

/**
 * Lifts a stage to an operator.
 *
 * Bound: what `holds` says. Order: that of the items. Failure: an error thrown by `next` ends the stream.
 * A stage that claims weights does its work in the turn of the update, after those that claimed before it.
 *
 * @example updates$.pipe(every({ updates: 10 }), stage(spectralTick(penalty)))
 */
export function stage<In extends Positioned, Out, State>(value: Stage<In, Out, State>): OperatorFunction<In, Out> {
  return (source) => {
    let joined: Node | undefined;
    const stream = new Observable<Out>((subscriber) => {
      const flow = Flow.current;
      const node = Flow.join(value.name, 'stage');
      joined = node;
      node.needs = value.needs ?? 0;
      node.inputs = value.inputs ?? [];
      const memory = new Memory(value, node);
      let claimed = 0;
      let completed = false;

      const finish = (): void => {
        try {
          for (const out of value.end?.(memory.state) ?? []) hand(node, subscriber, out, node.entered);
          subscriber.complete();
        } catch (error) {
          subscriber.error(error);
        }
      };

      const apply = (step: Step<State, Out>, item: In): void => {
        memory.set(step[0]);
        if (step.length === 1) return;
        const give = (): void => hand(node, subscriber, step[1] as Out, item.position);
        if (flow === undefined) give();
        else flow.push(give);
      };

      /**
       * All steps of one item, as slices of its turn. A step is applied when the one after it is made, so that the last one and
       * the item's being handled are one: a snapshot in between would have the item worked on twice.
       */
      function* work(item: In): Work {
        try {
          let made: Step<State, Out> | undefined;
          for (const step of stepsOf(() => value.next(memory.state, item), node)) {
            if (subscriber.closed) return;
            if (made !== undefined) {
              apply(made, item);
              yield;
            }
            made = step;
          }
          if (made !== undefined) apply(made, item);
          node.handled = item.position;
        } catch (error) {
          subscriber.error(error);
        } finally {
          claimed--;
          if (completed && claimed === 0) finish();
        }
      }

      /** An item that was worked on before the flow was saved: only its output is handed on, as those who follow may need it. */
      function* again(item: In): Work {
        try {
          const out = value.repeat?.(memory.state, item);
          const give = (): void => subscriber.next(out as Out);
          if (out === undefined) return;
          if (flow === undefined) give();
          else flow.push(give);
        } catch (error) {
          subscriber.error(error);
        } finally {
          claimed--;
          if (completed && claimed === 0) finish();
        }
      }

      const run = (item: In): void => {
        const begun = node.begin();
        const result = value.next(memory.state, item);
        if (isStep(result)) {
          node.end(begun);
          memory.keep(result[0], item.position);
          if (result.length > 1) hand(node, subscriber, result[1] as Out, item.position);
          else if (node.held === 0) node.pass(item.position);
        } else {
          for (const step of result) {
            memory.keep(step[0], item.position);
            if (step.length > 1) hand(node, subscriber, step[1] as Out, item.position);
          }
          node.end(begun);
        }
        node.handled = item.position;
        if (flow !== undefined && !flow.pushing) flow.roomMade();
      };

      return Flow.subscribe(node, source, {
        next(item) {
          try {
            if (typeof item?.position !== 'number') throw noPosition(value.name);
            if (item.position <= node.resumedAt) return;
            const now = turn(item);
            const claim = (make: (item: In) => Work): void => {
              now?.claim(value.name, make(item));
              claimed++;
            };
            if ((flow?.repeating || now?.again) && item.position <= node.handled) {
              if (value.repeat !== undefined && now !== undefined) claim(again);
              return;
            }
            node.arrive(item.position);
            if (now === undefined || value.claims === undefined) run(item);
            else claim(work);
          } catch (error) {
            subscriber.error(error);
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
      if (joined !== undefined) Flow.edge(joined);
      return shared.subscribe(subscriber);
    });
  };
}

const noPosition = (stage: string): WeirError =>
  new WeirError(
    `stage '${stage}' was handed an item without a position`,
    'let operators before it keep the field: map((item) => ({ ...item, more }))',
  );

/** Lifts a function that makes a stage to one that makes an operator. */
export const lifted =
  <A extends unknown[], In extends Positioned, Out, State>(make: (...options: A) => Stage<In, Out, State>) =>
  (...options: A): OperatorFunction<In, Out> =>
    stage(make(...options));

function isStep<State, Out>(result: Step<State, Out> | Iterable<Step<State, Out>>): result is Step<State, Out> {
  return Array.isArray(result);
}

/** The steps of one item, one by one, their making counted as the node's own work. */
function* stepsOf<State, Out>(
  next: () => Step<State, Out> | Iterable<Step<State, Out>>,
  node: Node,
): Generator<Step<State, Out>> {
  let begun = performance.now();
  const result = next();
  if (isStep(result)) {
    node.busy += performance.now() - begun;
    yield result;
    return;
  }
  for (const step of result) {
    node.busy += performance.now() - begun;
    yield step;
    begun = performance.now();
  }
  node.busy += performance.now() - begun;
}

function hand<Out>(node: Node, subscriber: Subscriber<Out>, out: Out, position: number): void {
  node.leave(out, position);
  subscriber.next(out);
}

import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import type { Gradients, Weights } from '../model/model.js';
import { type OwnRate, ratesOf } from './rates.js';
import { type Schedule, scheduled, type UpdateIndex } from './schedule.js';

/** The result of an update: tensors that belong to the caller. */
export interface Moved {
  /** Every weight that was given, by name and in the order given. */
  readonly weights: Weights;
  /** The optimizer's state by name, float32. Empty where it has none. */
  readonly memory: Weights;
}

/**
 * A rule that moves weights against their gradient, as a value: its state is passed in and out.
 *
 * The training step calls `move` once an update. The gradients are then those of the whole update: meaned over its batches and over
 * all ranks, a regularizer's included. The state is saved in every snapshot and restored to the bit. A network that branches off
 * another begins with a copy of it. All ranks move by the same gradients, so a rule must be a function of its arguments alone.
 *
 * `optimizer` makes one of a rule for a single weight, and owns the tensors for it.
 *
 * @example
 * const still: Optimizer = {
 *   name: 'still',
 *   rate: () => 0,
 *   move(weights, gradients, memory) {
 *     tf.dispose([...gradients.values()]); // it takes them, so it disposes of what it does not return
 *     return { weights, memory };
 *   },
 * };
 */
export interface Optimizer {
  /** For messages, such as 'adam'. */
  readonly name: string;
  /** The learning rate of an update, for weights without one of their own: for the log. */
  readonly rate: Schedule;
  /** The learning rates of weights with one of their own, in the order in which they are listed: to compare two schedules. */
  ownRates?(at: UpdateIndex): readonly number[];
  /**
   * One update of every weight that has a gradient; the others, running statistics, stay as they are.
   *
   * It takes all tensors it is given: it returns them, or disposes of them.
   *
   * @param weights by name, float32
   * @param gradients of the trained weights, each by its weight's name and of its shape
   * @param memory the state after the update before, with the names it was returned under; empty at the first update
   */
  move(weights: Weights, gradients: Gradients, memory: Weights, at: UpdateIndex): Moved;
  /**
   * Averages of the weights over the updates, where it keeps them: every weight by name, in the order given. The tensors are those of
   * `weights` and `memory`, and stay theirs.
   */
  averages?(weights: Weights, memory: Weights): Weights;
}

/** One weight at one update. All tensors are of the weight's shape, float32; the caller disposes of them. */
export interface WeightStep<State extends string> {
  /** Such as 'hidden1/kernel'. */
  readonly name: string;
  readonly weight: tf.Tensor;
  readonly gradient: tf.Tensor;
  /** As the step before returned them; zeros at the first update. */
  readonly state: Readonly<Record<State, tf.Tensor>>;
  /** The learning rate of this weight at this update. */
  readonly rate: number;
  readonly at: UpdateIndex;
}

/** The weight after a step, and its state, each of the weight's shape. */
export type Stepped<State extends string> = Readonly<Record<'weight' | State, tf.Tensor>>;

/** A rule for one weight. */
export interface WeightRule<State extends string = never> {
  readonly name: string;
  /** Learning rate. */
  readonly rate: number | Schedule;
  /** Learning rates of some weights, in the place of `rate`; a weight takes the first that names it. */
  readonly rates?: readonly OwnRate[];
  /** The names of the tensors that are remembered of each weight, such as 'velocity'. By default none. */
  readonly state?: readonly State[];
  /** Called for each weight at each update, in `tf.tidy`: intermediate results are disposed of. It must not depend on earlier calls. */
  step(input: WeightStep<State>): Stepped<State>;
}

/**
 * An optimizer that moves every weight by the same rule.
 *
 * Memory: each tensor of the rule's state under 'STATE/WEIGHT', such as 'velocity/hidden1/kernel'.
 *
 * @throws {WeirError} at an update, where `rates` names a weight that is not trained, where a step does not return what it declares, or
 * where the state restored is that of another optimizer
 * @example
 * const signs = (rate: number) =>
 *   optimizer({ name: 'signs', rate, step: ({ weight, gradient, rate }) => ({ weight: tf.sub(weight, tf.mul(tf.sign(gradient), rate)) }) })
 */
export function optimizer<const State extends string = never>(rule: WeightRule<State>): Optimizer {
  const {
    name: own,
    rate,
    rates = [],
    state = [],
  } = checkOptions<WeightRule<State>>('optimizer', rule, {
    name: 'required',
    rate: 'required',
    rates: 'optional',
    state: 'optional',
    step: 'required',
  });
  checkState(own, state);
  const rateOf = ratesOf(own, rate, rates);

  return {
    name: own,
    rate: scheduled(rate),
    ownRates: (at) => rates.map((one) => scheduled(one.rate)(at)),
    move(weights, gradients, memory, at) {
      const rateAt = rateOf([...gradients.keys()], at);
      const remembered = checkMemory(
        own,
        [...gradients.keys()].flatMap((name) => state.map((one) => `${one}/${name}`)),
        memory,
        at,
      );
      const moved = new Map<string, tf.Tensor>();
      const next = new Map<string, tf.Tensor>();
      for (const [name, weight] of weights) {
        const gradient = gradients.get(name);
        if (gradient === undefined) {
          moved.set(name, weight); // a running statistic
          continue;
        }
        const before = state.map((one) => remembered(`${one}/${name}`) ?? tf.zerosLike(weight));
        const entries = state.map((one, i) => [one, before[i]!] as const);
        const given = Object.fromEntries(entries) as Record<State, tf.Tensor>;
        const made = tf.tidy(() =>
          checkedStep(own, name, state, rule.step({ name, weight, gradient, state: given, rate: rateAt(name), at })),
        );
        moved.set(name, made[0]!);
        for (const [i, one] of state.entries()) next.set(`${one}/${name}`, made[i + 1]!);
        for (const tensor of [weight, gradient, ...before]) if (!made.includes(tensor)) tensor.dispose();
      }
      return { weights: moved, memory: next };
    },
  };
}

/** The weight and the state that a step returned, in this order; a tensor that it returned twice is cloned. */
function checkedStep<State extends string>(
  optimizer: string,
  weight: string,
  state: readonly State[],
  stepped: Stepped<State>,
): tf.Tensor[] {
  const seen = new Set<tf.Tensor>();
  return (['weight', ...state] as const).map((key) => {
    const tensor: unknown = stepped?.[key];
    if (!(tensor instanceof tf.Tensor)) {
      throw new WeirError(
        `optimizer '${optimizer}' returned no tensor '${key}' for '${weight}'`,
        `let its step return { ${['weight', ...state].join(', ')} }, tensors of the weight's shape`,
      );
    }
    if (seen.has(tensor)) return tf.clone(tensor);
    seen.add(tensor);
    return tensor;
  });
}

/**
 * Compares the state that an update is given with the names that the optimizer returns.
 *
 * @returns the tensor of a name; undefined at the first update, before there is any
 * @throws {WeirError} where it is the state of another optimizer, or none though there were updates before
 */
export function checkMemory(
  optimizer: string,
  names: readonly string[],
  memory: Weights,
  { number }: UpdateIndex,
): (name: string) => tf.Tensor | undefined {
  const known = new Set(names);
  const missing = number === 1 && memory.size === 0 ? undefined : names.find((name) => !memory.has(name));
  const foreign = [...memory.keys()].find((name) => !known.has(name));
  if (missing === undefined && foreign === undefined) return (name) => memory.get(name);
  const found = missing === undefined ? `there is '${foreign}' in its state` : `'${missing}' is not in its state`;
  throw new WeirError(
    `optimizer '${optimizer}' cannot make update ${number}: ${found}, so that is the state of another optimizer`,
    'go on with the optimizer that the earlier updates were made with, momentum and averages included',
  );
}

/**
 * Compares what an optimizer returned with the weights it was given.
 *
 * @param shapes of the weights, before the update
 * @throws {WeirError} that names the optimizer and the weight
 */
export function checkMoved(
  { name: optimizer }: Pick<Optimizer, 'name'>,
  shapes: ReadonlyMap<string, readonly number[]>,
  { weights, memory }: Moved,
): void {
  const refused = (what: string): WeirError =>
    new WeirError(
      `optimizer '${optimizer}' returned ${what}`,
      'let it return every weight it is given, in its shape, float32, and dispose of no tensor that it returns',
    );
  for (const [name, shape] of shapes) {
    const tensor = weights.get(name);
    if (tensor === undefined) throw refused(`no weight '${name}'`);
    if (`${tensor.shape}` !== `${shape}`) {
      throw refused(`'${name}' as [${tensor.shape.join(', ')}], which is [${shape.join(', ')}]`);
    }
  }
  const odd = [...weights.keys()].find((name) => !shapes.has(name));
  if (odd !== undefined) throw refused(`a weight '${odd}', which it was not given`);
  for (const [name, tensor] of [...weights, ...memory]) {
    if (tensor.isDisposed) throw refused(`'${name}' disposed of`);
    if (tensor.dtype !== 'float32') throw refused(`'${name}' as ${tensor.dtype}`);
  }
}

function checkState(name: string, state: readonly string[]): void {
  const odd = state.find((one, i) => one === 'weight' || one.includes('/') || state.indexOf(one) !== i);
  if (odd === undefined) return;
  throw new WeirError(
    `optimizer '${name}' names a tensor of its state '${odd}'`,
    "give each a name of its own, other than 'weight' and without '/'",
  );
}

/** @throws {WeirError} for what is no optimizer, such as a builder that was not called @param where the part that was given it */
export function checkOptimizer(where: string, given: Optimizer): void {
  const { name, rate, move } = (given ?? {}) as { readonly [part in keyof Optimizer]: unknown };
  if (typeof given === 'object' && typeof name === 'string' && typeof rate === 'function' && typeof move === 'function')
    return;
  throw new WeirError(
    `${where} was given ${typeof given === 'function' ? 'a function' : 'something else'} in the place of an optimizer`,
    'give one with name, rate(at) and move(…), such as adamw({ rate: 1e-3 })',
  );
}

/** The Euclidean norm of all values, a scalar; `tf.norm` raises them to a power instead, which is slow. */
export const length = (x: tf.Tensor): tf.Scalar => tf.sqrt(tf.sum(tf.square(x)));

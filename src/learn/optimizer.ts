import { WeirError } from '../flow/errors.js';
import { checkOptions } from '../flow/options.js';
import { sgdStep } from '../tensorflow/ops/fused.js';
import { tf } from '../tensorflow/tf.js';
import type { Gradients, Weights } from './model/model.js';

/** The epoch and number of an update. */
export interface UpdateIndex {
  /** Counted from 1. */
  readonly epoch: number;
  /** Updates so far, this one included. */
  readonly number: number;
}

/** A quantity as a function of the update, such as a learning rate. */
export type Schedule = (at: UpdateIndex) => number;

/** The same at every update. */
export const constant =
  (value: number): Schedule =>
  () =>
    value;

/** A quantity that is given as a number or as a schedule, as a schedule. */
export const scheduled = (value: number | Schedule): Schedule => (typeof value === 'number' ? constant(value) : value);

/** `value` · `factor` ^ ⌊epochs done / `every`⌋, `every` in epochs. */
export function step(value: number, options: { readonly every: number; readonly factor?: number }): Schedule {
  const { every, factor = 0.1 } = checkOptions('step', options, { every: 'required', factor: 'optional' });
  return ({ epoch }) => value * factor ** Math.floor((epoch - 1) / every);
}

/** From `value` down to `floor` along half a cosine over `epochs`: floor + (value − floor) · ½(1 + cos(π · epochs done / epochs)). */
export function cosine(value: number, options: { readonly epochs: number; readonly floor?: number }): Schedule {
  const { epochs, floor = 0 } = checkOptions('cosine', options, { epochs: 'required', floor: 'optional' });
  return ({ epoch }) => floor + ((value - floor) * (1 + Math.cos((Math.PI * (epoch - 1)) / epochs))) / 2;
}

/** A learning rate for some of the weights. */
export interface OwnRate {
  /** Names of weights, or what they begin with up to a '/': 'readout' is 'readout/kernel' and 'readout/bias'. */
  readonly weights: readonly string[];
  readonly rate: number | Schedule;
}

/**
 * Which learning rate each weight has at an update: that of the first group that names it, else `rate`. PyTorch calls these
 * parameter groups.
 *
 * The function returned takes the names of all trained weights, so that a name of no weight is found.
 *
 * @throws {WeirError} from the function returned, for a name in `rates` that no trained weight has
 * @example ratesOf('sgd', 0.005, [{ weights: ['readout'], rate: 0.1 }])(['hidden1/kernel', 'readout/kernel'], at)('readout/kernel') // 0.1
 */
function ratesOf(
  optimizer: string,
  rate: number | Schedule,
  rates: readonly OwnRate[],
): (trained: readonly string[], at: UpdateIndex) => (name: string) => number {
  const usual = scheduled(rate);
  const own = rates.map((one) => {
    const { weights, rate } = checkOptions(`rates of ${optimizer}`, one, { weights: 'required', rate: 'required' });
    return { weights, schedule: scheduled(rate) };
  });
  return (trained, at) => {
    for (const { weights } of own) {
      const odd = weights.find((name) => !trained.some(bears(name)));
      if (odd !== undefined) throw unknown(optimizer, odd, trained);
    }
    const now = own.map(({ weights, schedule }) => ({ weights, rate: schedule(at) }));
    const otherwise = usual(at);
    return (name) => now.find(({ weights }) => weights.some((one) => bears(one)(name)))?.rate ?? otherwise;
  };
}

const bears =
  (name: string) =>
  (weight: string): boolean =>
    weight === name || weight.startsWith(`${name}/`);

const unknown = (optimizer: string, name: string, trained: readonly string[]): WeirError =>
  new WeirError(
    `optimizer '${optimizer}' has a learning rate for '${name}', which no trained weight is called`,
    `name any of ${trained.join(', ')}, or what several of them begin with up to a '/'`,
  );

/** The result of an update: tensors that belong to the caller. */
export interface Moved {
  readonly weights: Weights;
  /** The optimizer's state by name of the weight, such as velocities. Empty where it has none. */
  readonly memory: Weights;
}

/** A rule that moves weights against their gradient, as a value: its state is passed in and out. */
export interface Optimizer {
  readonly name: string;
  /** The learning rate of an update, for weights without one of their own: for the log. */
  rate(at: UpdateIndex): number;
  /**
   * One update of every weight that has a gradient; the others stay. It takes all tensors it is given, and disposes of those that
   * it does not return.
   *
   * @param memory the state after the update before; empty at the first
   */
  move(weights: Weights, gradients: Gradients, memory: Weights, at: UpdateIndex): Moved;
}

export interface SgdOptions {
  /** Learning rate. */
  readonly rate: number | Schedule;
  /** Learning rates of some weights, such as the readout's, in the place of `rate`; a weight takes the first that names it. */
  readonly rates?: readonly OwnRate[];
  readonly momentum?: number;
  /** Weight decay, coupled: added to the gradient of every weight, biases included. */
  readonly decay?: number;
}

/**
 * Stochastic gradient descent with momentum, in PyTorch's convention: g ← g + decay · w, v ← μv + g (v = g at the first
 * update), w ← w − rate · v. No dampening, no Nesterov.
 *
 * Memory: the velocity v of every weight; none without momentum.
 *
 * @throws {WeirError} at the first update, where `rates` names a weight that is not trained
 * @example sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 })
 * @example sgd({ rate: 0.005, rates: [{ weights: [model.readout.name], rate: 0.1 }] }) // a fresh readout on a backbone
 */
export function sgd(options: SgdOptions): Optimizer {
  const {
    rate,
    rates = [],
    momentum = 0,
    decay = 0,
  } = checkOptions(
    'sgd',
    options,
    { rate: 'required', rates: 'optional', momentum: 'optional', decay: 'optional' },
    'ignored',
  );
  const rateOf = ratesOf('sgd', rate, rates);
  return {
    name: 'sgd',
    rate: scheduled(rate),
    move(weights, gradients, memory, at) {
      const rateAt = rateOf([...gradients.keys()], at);
      const moved = new Map<string, tf.Tensor>();
      const velocities = new Map<string, tf.Tensor>();
      for (const [name, w] of weights) {
        const g = gradients.get(name);
        if (g === undefined) {
          moved.set(name, w); // a running statistic
          continue;
        }
        const before = memory.get(name);
        // μ · 0 + g is g, to the bit: the first update needs no rule of its own
        const [next, v] = tf.tidy(() =>
          sgdStep(w, g, before ?? tf.zerosLike(w), { rate: rateAt(name), momentum, decay }),
        );
        moved.set(name, next);
        if (momentum === 0) v.dispose();
        else velocities.set(name, v);
        tf.dispose([w, g, before].filter((tensor) => tensor !== undefined));
      }
      return { weights: moved, memory: velocities };
    },
  };
}

import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import type { Gradients, Weights } from '../model/model.js';

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
export function ratesOf(
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

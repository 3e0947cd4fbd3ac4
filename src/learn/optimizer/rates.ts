import { WeirError } from '../../flow/errors.js';
import { type Moment, type Schedule, scheduled } from './schedule.js';

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
 * What is returned takes the names of all trained weights, so that a name that none of them bears is found.
 *
 * @throws {WeirError} from what is returned, at a name that no trained weight bears
 * @example ratesOf('sgd', 0.005, [{ weights: ['readout'], rate: 0.1 }])(['hidden1/kernel', 'readout/kernel'], at)('readout/kernel') // 0.1
 */
export function ratesOf(
  optimizer: string,
  rate: number | Schedule,
  rates: readonly OwnRate[],
): (trained: readonly string[], at: Moment) => (name: string) => number {
  const usual = scheduled(rate);
  const own = rates.map((one) => ({ weights: one.weights, schedule: scheduled(one.rate) }));
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

import { WeirError } from '../../flow/errors.js';
import { checkNumbers, checkOptions } from '../../flow/options.js';
import { type Schedule, scheduled, type UpdateIndex } from './schedule.js';

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
 * @throws {WeirError} for a rate that is no finite number from 0 on; from the function returned, for a name in `rates` that no trained weight
 * has, and for such a rate from a schedule
 * @example ratesOf('sgd', 0.005, [{ weights: ['readout'], rate: 0.1 }])(['hidden1/kernel', 'readout/kernel'], at)('readout/kernel') // 0.1
 */
export function ratesOf(
  optimizer: string,
  rate: number | Schedule,
  rates: readonly OwnRate[],
): (trained: readonly string[], at: UpdateIndex) => (name: string) => number {
  const checked = (where: string, rate: number | Schedule): Schedule => {
    if (typeof rate !== 'function') checkNumbers(where, { rate });
    const schedule = scheduled(rate);
    return (at) => {
      const now = schedule(at);
      checkNumbers(`${where}, by its schedule at update ${at.number},`, { rate: now });
      return now;
    };
  };
  const usual = checked(`optimizer '${optimizer}'`, rate);
  if (!Array.isArray(rates)) {
    throw new WeirError(
      `optimizer '${optimizer}' was given rates that are no list`,
      "give one, such as rates: [{ weights: ['readout'], rate: 0.1 }]",
    );
  }
  const own = (rates as readonly OwnRate[]).map((one) => {
    const { weights, rate } = checkOptions(`rates of ${optimizer}`, one, { weights: 'required', rate: 'required' });
    checkListed(`rates of ${optimizer}`, 'weights', weights);
    return { weights, schedule: checked(`rates of ${optimizer} for ${weights.join(', ')}`, rate) };
  });
  return (trained, at) => {
    for (const { weights } of own) checkNames(optimizer, 'a learning rate', weights, trained);
    const now = own.map(({ weights, schedule }) => ({ weights, rate: schedule(at) }));
    const otherwise = usual(at);
    return (name) => now.find(({ weights }) => isAmong(weights, name))?.rate ?? otherwise;
  };
}

/** Whether a weight is named by one of `names`: in full, or by its beginning up to a '/'. */
export const isAmong = (names: readonly string[], weight: string): boolean =>
  names.some((name) => weight === name || weight.startsWith(`${name}/`));

/** @throws {WeirError} unless it is a list of names: text alone would be taken for a list of letters */
export function checkListed(where: string, key: string, names: readonly string[]): void {
  if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return;
  throw new WeirError(
    `${where} was given ${key} = ${JSON.stringify(names)}`,
    `give a list of names, such as ${key}: ['readout']`,
  );
}

/** @throws {WeirError} for a name that no trained weight has @param rule what the optimizer has for these weights, in words */
export function checkNames(
  optimizer: string,
  rule: string,
  names: readonly string[],
  trained: readonly string[],
): void {
  const odd = names.find((name) => !trained.some((weight) => isAmong([name], weight)));
  if (odd === undefined) return;
  throw new WeirError(
    `optimizer '${optimizer}' has ${rule} for '${odd}', which no trained weight is called`,
    `name any of ${trained.join(', ')}, or what several of them begin with up to a '/'`,
  );
}

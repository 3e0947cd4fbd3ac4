import { isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';

/** The values of a config whose keys are not known. */
export type AnyConfig = Readonly<Record<string, unknown>>;

/** The origin of the values of a config. */
export interface Resolved {
  /** Keys that the user set. */
  readonly given: ReadonlySet<string>;
  /** The values without those that the user set: of the profile, and the defaults. */
  readonly usual: AnyConfig;
}

/** Why two settings do not go together. */
export interface Clash {
  readonly why: string;
  /** A valid value of the first key; none where the other one must change. */
  readonly right?: unknown;
}

/** A rule for two settings that can cancel each other; it holds for every config with both keys. */
export interface Rule {
  /** The first gives way where the user has not set it. */
  readonly keys: readonly [key: string, other: string];
  /** The default of the first key means 'all', so it follows the other in every profile. */
  readonly follows?: true;
  clash(config: AnyConfig, resolved: Resolved): Clash | undefined;
}

const number = (config: AnyConfig, key: string): number => config[key] as number;

/** Whether a network of the run has a regularizer of a kind that matches; adversarial training adds no term. */
const regularized = ({ regularizers }: AnyConfig, kind = /^(?!(none|adversarial-training)$)/): boolean =>
  !Array.isArray(regularizers) || regularizers.some((one) => kind.test(String(one)));

/** `to` times the ratio of the two keys in the usual values; a whole number, at least `least`. */
function scaled({ usual }: Resolved, key: string, other: string, to: number, least: number): number {
  const part = number(usual, key) / number(usual, other);
  return Math.max(least, Math.floor((part < 1 ? part : 0.5) * to));
}

/** The largest divisor of n up to `most`. */
function divisor(n: number, most: number): number {
  for (let k = Math.min(n, most); ; k--) if (n % k === 0) return k;
}

/** A rule for a cadence in epochs: its last time must be the end of the training. */
export const endsWith = (key: string, other: string, measured: string): Rule => ({
  keys: [key, other],
  clash(config) {
    const [every, epochs] = [number(config, key), number(config, other)];
    if (epochs % every === 0) return undefined;
    const last = epochs - (epochs % every);
    return {
      why:
        last === 0
          ? `nothing but the untrained network would be ${measured}`
          : `after epoch ${last} nothing would be ${measured}, and so the trained network not`,
      right: divisor(epochs, every),
    };
  },
});

/** A rule for a size: it must divide the other. */
export const divides = (key: string, other: string, why: string): Rule => ({
  keys: [key, other],
  clash(config) {
    const [part, whole] = [number(config, key), number(config, other)];
    return whole % part === 0 ? undefined : { why, right: divisor(whole, part) };
  },
});

/** A rule for a number: it must not exceed the other. */
const atMost = (key: string, other: string, why: string, follows?: true): Rule => ({
  keys: [key, other],
  ...(follows && { follows }),
  clash: (config) => (number(config, key) > number(config, other) ? { why, right: number(config, other) } : undefined),
});

/** The rules for the shared keys (`config-keys.ts`), in the order in which one key gives way to the next. */
const shared: readonly Rule[] = [
  atMost('batchSize', 'images', 'a batch would hold more images than there are'),
  atMost('readoutImages', 'images', 'a readout would be fitted to more images than are taken', true),
  atMost('attacked', 'testImages', 'more images would be attacked than are taken', true),
  {
    keys: ['burnIn', 'epochs'],
    clash(config, resolved) {
      const epochs = number(config, 'epochs');
      if (number(config, 'burnIn') < epochs || !regularized(config)) return undefined;
      return {
        why: 'no regularizer would ever act, and equal networks be compared',
        right: scaled(resolved, 'burnIn', 'epochs', epochs, 0),
      };
    },
  },
  {
    keys: ['gamma', 'regularizers'],
    clash(config) {
      const { gamma, gammas = {}, regularizers } = config;
      if (
        gamma !== 0 ||
        Object.keys(gammas as object).length > 0 ||
        !(regularizers as unknown[]).includes('none') ||
        !regularized(config)
      )
        return undefined;
      return { why: 'a regularizer of strength 0 is none, and equal networks would be compared' };
    },
  },
  {
    keys: ['gammas', 'regularizers'],
    clash({ gammas, regularizers }) {
      const kinds = Object.keys(gammas as object);
      const idle = kinds.find((kind) => kind === 'none' || !(regularizers as unknown[]).includes(kind));
      return idle === undefined ? undefined : { why: `no network is trained with a γ of '${idle}'` };
    },
  },
  {
    keys: ['tickEvery', 'epochs'],
    clash(config) {
      const { images, batchSize, partial, burnIn = 0, protocol } = config;
      if (typeof images !== 'number' || typeof batchSize !== 'number') return undefined; // the length of an epoch depends on the data
      if (protocol === 'authors' || !regularized(config, /spectral$/)) return undefined; // exact, or without directions
      const [every, epochs] = [number(config, 'tickEvery'), number(config, 'epochs')];
      const perEpoch = partial === 'drop' ? Math.floor(images / batchSize) : Math.ceil(images / batchSize);
      const [begun, all] = [(burnIn as number) * perEpoch, epochs * perEpoch];
      if (Math.ceil(begun / every) * every < all) return undefined;
      return {
        why: `the regularizer acts at updates ${begun + 1} to ${all} (${perEpoch} an epoch), and its directions would never be refreshed`,
        right: Math.max(1, Math.floor((all - begun) / 4)),
      };
    },
  },
  {
    keys: ['decayEvery', 'epochs'],
    clash(config, resolved) {
      const epochs = number(config, 'epochs');
      if (number(config, 'decayEvery') <= epochs) return undefined; // equal: the rate is meant to stay
      return { why: 'the learning rate would never fall', right: scaled(resolved, 'decayEvery', 'epochs', epochs, 1) };
    },
  },
  endsWith('testEvery', 'epochs', 'tested'),
  {
    keys: ['decay', 'rate'],
    clash(config) {
      const taken = number(config, 'rate') * number(config, 'decay');
      return taken < 1 ? undefined : { why: `each update would take ${taken} times its own size from every weight` };
    },
  },
];

/**
 * Settings that go together. Where two cancel each other, a default of a profile (but the paper's), or one that means 'all',
 * gives way to the value that the user set; otherwise it is an error.
 *
 * @param own rules of the pipeline, besides those of the shared keys
 * @param tell receives a line about each default that gave way
 * @throws {WeirError} names both keys, and a valid value
 */
export function settleConflicts<C extends AnyConfig>(
  config: C,
  profile: string,
  resolved: Resolved,
  own: readonly Rule[] = [],
  tell: (line: string) => void = () => {},
): C {
  let values: AnyConfig = config;
  for (const rule of [...shared, ...own]) {
    const [key, other] = rule.keys;
    if (values[key] === undefined || values[other] === undefined) continue;
    const clash = rule.clash(values, resolved);
    if (clash === undefined) continue;
    const { why, right } = clash;
    const both = `${setting(key, values)} and ${setting(other, values)}`;
    const givesWay = right !== undefined && !resolved.given.has(key) && (profile !== 'paper' || rule.follows === true);
    if (!givesWay) {
      throw new WeirError(
        `config: ${both} cancel each other: ${why}`,
        right === undefined ? `change ${key} or ${other}` : `set ${setting(key, { [key]: right })}, or change ${other}`,
      );
    }
    tell(`${setting(key, values)} became ${valueText(right)}, to fit ${setting(other, values)}`);
    values = { ...values, [key]: right };
  }
  return values as C;
}

const setting = (key: string, values: AnyConfig): string => `${key}=${valueText(values[key])}`;

/** A value as a user writes it after `key=`. */
export const valueText = (value: unknown): string =>
  Array.isArray(value) ? value.join(',') : isRecord(value) ? JSON.stringify(value) : String(value);

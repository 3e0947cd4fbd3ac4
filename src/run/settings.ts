import { WeirError } from '../flow/errors.js';

type Values = Readonly<Record<string, unknown>>;

/** How a config came about. */
export interface Resolved {
  /** Keys that the user set. */
  readonly given: ReadonlySet<string>;
  /** The values without what the user set: those of the profile, and the defaults. */
  readonly usual: Values;
}

/** What is wrong with two settings together. */
export interface Clash {
  readonly why: string;
  /** A value of the first key that would do; none where it is the other that must change. */
  readonly right?: unknown;
}

/** Two settings that can cancel each other; it holds of every config that has both keys. */
export interface Rule {
  /** The first gives way, where the user has not set it. */
  readonly keys: readonly [key: string, other: string];
  /** The first key's default means 'all there are', and so it follows the other in every profile. */
  readonly follows?: true;
  clash(config: Values, resolved: Resolved): Clash | undefined;
}

const number = (config: Values, key: string): number => config[key] as number;

/** Whether a network of the run has a regularizer whose kind is like this. */
const regularized = ({ regularizers }: Values, kind = /^(?!none$)/): boolean =>
  !Array.isArray(regularizers) || regularizers.some((one) => kind.test(String(one)));

/** The same part of `other` as the usual values have, a whole number from `least` on. */
function scaled({ usual }: Resolved, key: string, other: string, to: number, least: number): number {
  const part = number(usual, key) / number(usual, other);
  return Math.max(least, Math.floor((part < 1 ? part : 0.5) * to));
}

/** The largest whole number up to `most` that divides n. */
function divisor(n: number, most: number): number {
  for (let k = Math.min(n, most); ; k--) if (n % k === 0) return k;
}

/** A cadence in epochs whose last moment is that of the trained network. */
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

/** A size that the other divides into. */
export const divides = (key: string, other: string, why: string): Rule => ({
  keys: [key, other],
  clash(config) {
    const [part, whole] = [number(config, key), number(config, other)];
    return whole % part === 0 ? undefined : { why, right: divisor(whole, part) };
  },
});

/** No more than there are. */
const atMost = (key: string, other: string, why: string, follows?: true): Rule => ({
  keys: [key, other],
  ...(follows && { follows }),
  clash: (config) => (number(config, key) > number(config, other) ? { why, right: number(config, other) } : undefined),
});

/** Of the shared keys (`keys.ts`), in the order in which one gives way to the next; every pipeline that has both is checked. */
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
      const { gamma, regularizers } = config;
      if (gamma !== 0 || !(regularizers as unknown[]).includes('none') || !regularized(config)) return undefined;
      return { why: 'a regularizer of strength 0 is none, and equal networks would be compared' };
    },
  },
  {
    keys: ['tickEvery', 'epochs'],
    clash(config) {
      const { images, batchSize, partial, burnIn = 0, protocol } = config;
      if (typeof images !== 'number' || typeof batchSize !== 'number') return undefined; // how long an epoch is, the data say
      if (protocol === 'authors' || !regularized(config, /spectral$/)) return undefined; // exact, or without directions
      const [every, epochs] = [number(config, 'tickEvery'), number(config, 'epochs')];
      const perEpoch = partial === 'drop' ? Math.floor(images / batchSize) : Math.ceil(images / batchSize);
      const [begun, all] = [(burnIn as number) * perEpoch, epochs * perEpoch];
      if (Math.ceil(begun / every) * every < all) return undefined;
      return {
        why: `the penalty acts at updates ${begun + 1} to ${all} (${perEpoch} an epoch), and its directions would never be refreshed`,
        right: Math.max(1, Math.floor((all - begun) / 4)),
      };
    },
  },
  {
    keys: ['decayEvery', 'epochs'],
    clash(config, resolved) {
      const epochs = number(config, 'epochs');
      if (number(config, 'decayEvery') <= epochs) return undefined; // as long as the training: a rate that shall not fall
      return {
        why: 'the learning rate would never fall',
        right: scaled(resolved, 'decayEvery', 'epochs', epochs, 1),
      };
    },
  },
  endsWith('testEvery', 'epochs', 'tested'),
];

/**
 * Settings that fit each other. Where two cancel each other, a default of a profile (but the paper's), or one that means 'all',
 * gives way to what the user set; else it is an error.
 *
 * @param own rules of the pipeline besides those of the shared keys
 * @param tell is told, in a line, of a default that gave way
 * @throws {WeirError} that names both keys, and a value that would do
 */
export function settled<C extends Values>(
  config: C,
  profile: string,
  resolved: Resolved,
  own: readonly Rule[] = [],
  tell: (line: string) => void = () => {},
): C {
  let values: Values = config;
  for (const rule of [...shared, ...own]) {
    const [key, other] = rule.keys;
    if (values[key] === undefined || values[other] === undefined) continue;
    const clash = rule.clash(values, resolved);
    if (clash === undefined) continue;
    const { why, right } = clash;
    const both = `${said(key, values)} and ${said(other, values)}`;
    const givesWay = right !== undefined && !resolved.given.has(key) && (profile !== 'paper' || rule.follows === true);
    if (!givesWay) {
      throw new WeirError(
        `config: ${both} cancel each other: ${why}`,
        right === undefined ? `change ${key} or ${other}` : `set ${said(key, { [key]: right })}, or change ${other}`,
      );
    }
    tell(`${said(key, values)} became ${valueText(right)}, to fit ${said(other, values)}`);
    values = { ...values, [key]: right };
  }
  return values as C;
}

const said = (key: string, values: Values): string => `${key}=${valueText(values[key])}`;

const valueText = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

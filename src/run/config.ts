import { resolve } from 'node:path';
import leven from 'leven';
import { WeirError } from '../flow/errors.js';
import { textTable } from '../flow/text-table.js';
import { z } from '../storage/record.js';

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
        why: `the regularizer acts at updates ${begun + 1} to ${all} (${perEpoch} an epoch), and its directions would never be refreshed`,
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
export function settleConflicts<C extends Values>(
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

export { z };

/** The keys of a pipeline's config, each a zod type with a default. */
export type Shape = z.ZodRawShape;
export type Config<S extends Shape> = z.output<z.ZodObject<S>>;

/** A key that holds a folder, kept as an absolute path so that a run can be resumed from anywhere; or one of some words. */
export const folder = (...words: readonly string[]) =>
  z.string().transform((path) => (words.includes(path) ? path : resolve(path)));

/** Values for some keys, under a name: `--set profile=quick`. */
export type Profiles<S extends Shape> = Readonly<Record<string, Partial<z.input<z.ZodObject<S>>>>>;

interface ConfigOptions {
  /** The config of an earlier run. */
  readonly before?: Readonly<Record<string, unknown>>;
  /** What the machine cannot do as the profile has it. */
  readonly fallback?: Readonly<Record<string, unknown>>;
  /** How the settings were given, for an error that names one. */
  readonly said?: string;
  /** Of the pipeline's own settings that may cancel each other. */
  readonly rules?: readonly Rule[];
  /** Is told of a default that gave way to what was set, in a line. */
  readonly tell?: (line: string) => void;
}

/**
 * A pipeline's defaults, over them the profile's values, over them those of an earlier run, over them the user's.
 *
 * @param settings `key=value` each; a list is written `a,b`; `profile=NAME` picks a profile.
 * @throws {WeirError} that names the key, what is allowed, and the nearest right key or profile; or two keys that cancel each other.
 */
export function resolveConfig<S extends Shape>(
  shape: S,
  profiles: Profiles<S>,
  settings: readonly string[],
  { before = {}, fallback = {}, said = '--set', rules, tell }: ConfigOptions = {},
): Config<S> & { readonly profile: string } {
  const given = new Map(settings.map(parseSetting));
  const profile = given.get('profile') ?? String(before.profile ?? 'paper');
  given.delete('profile');
  if (profile !== 'paper' && !Object.hasOwn(profiles, profile)) {
    throw unknown('profile', profile, ['paper', ...Object.keys(profiles)]);
  }
  const { profile: _, ...earlier } = before;
  const usual = { ...profiles[profile], ...fallback, ...earlier };
  const values: Record<string, unknown> = { ...usual };
  for (const [key, text] of given) {
    const type = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (type === undefined) throw unknown('key', key, [...Object.keys(shape), 'profile']);
    values[key] = parseValue(key, text, type, said);
  }
  const parsed = z.strictObject(shape).safeParse(values);
  if (parsed.success) {
    const resolved = { given: new Set(given.keys()), usual: z.object(shape).safeParse(usual).data ?? {} };
    return { ...settleConflicts(parsed.data as Config<S>, profile, resolved, rules, tell), profile };
  }
  const issue = parsed.error.issues[0]!;
  throw new WeirError(
    `config: ${issue.path.join('.')}: ${issue.message}`,
    'correct the pipeline’s defaults or profile',
  );
}

/** One line a key: its name, default and description. */
export function describeConfig(shape: Shape): string {
  const rows = Object.entries(shape).map(([key, type]) => {
    const known = (type as z.ZodType).safeParse(undefined);
    return [`${key}=${known.success ? show(known.data) : '…'}`, (type as z.ZodType).description ?? ''] as const;
  });
  return textTable(rows)
    .map((line) => `  ${line}`)
    .join('\n');
}

const show = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

function parseSetting(setting: string): [key: string, value: string] {
  const equals = setting.indexOf('=');
  if (equals > 0) return [setting.slice(0, equals), setting.slice(equals + 1)];
  throw new WeirError(`--set ${setting} is not of the form key=value`, `write --set ${setting}=VALUE`);
}

/** The first reading of the text that the key's type takes: as JSON, as it stands, as a list. */
function parseValue(key: string, text: string, type: unknown, said: string): unknown {
  const schema = type as z.ZodType;
  const readings = [fromJson(text), text, text.split(',').map((part) => fromJson(part)), text.split(',')];
  const right = readings.find((reading) => reading !== undefined && schema.safeParse(reading).success);
  if (right !== undefined) return right;
  const tried = schema.safeParse(fromJson(text) ?? text);
  const why = tried.success ? '' : tried.error.issues.map((issue) => issue.message).join('; ');
  throw new WeirError(`${said} ${key}=${text}: ${why}`, remedy(key, text, schema));
}

function remedy(key: string, text: string, schema: z.ZodType): string {
  const options = optionsOf(schema);
  const about = schema.description === undefined ? '' : ` (${schema.description})`;
  const known = schema.safeParse(undefined);
  const usual = known.success ? `its default is ${show(known.data)}` : 'it must be given';
  if (options.length === 0) return `${key}${about}: ${usual}`;
  return `did you mean ${nearest(text, options)}? ${key}${about} is one of ${options.join(', ')}`;
}

/** The words that a type allows, looked up through defaults and lists. */
function optionsOf(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as {
    enum?: unknown[];
    items?: { enum?: unknown[] };
  };
  return (json.enum ?? json.items?.enum ?? []).map(String);
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An error that names what there is none of, and the nearest that there is. */
export function unknown(kind: string, name: string, known: readonly string[]): WeirError {
  return new WeirError(
    `there is no ${kind} '${name}'`,
    `did you mean '${nearest(name, known)}'? There are ${known.join(', ')}`,
  );
}

/** The word that begins alike, or else takes the fewest changes. */
export const nearest = (word: string, words: readonly string[]): string =>
  words.find((known) => known.startsWith(word)) ?? [...words].sort((a, b) => leven(word, a) - leven(word, b))[0] ?? '';

import { resolve } from 'node:path';
import { isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { nearest, suggestion } from '../flow/options.js';
import { textTable } from '../flow/terminal.js';
import { z } from '../storage/record.js';
import { type AnyConfig, type Rule, settleConflicts, valueText } from './config-rules.js';

export { z };

/** The keys of a pipeline's config, each a zod type with a default, or an optional one. */
export type ConfigShape = z.ZodRawShape;
export type Config<S extends ConfigShape> = z.output<z.ZodObject<S>>;

/** The keys of a pipeline, by its type. */
export type ShapeOf<P> = P extends { readonly config: infer S extends ConfigShape } ? S : never;

/** Some values of a pipeline's config, a profile included. */
export type SettingsOf<P> = Partial<z.input<z.ZodObject<ShapeOf<P>>>> & { readonly profile?: string };

/** A key that holds a folder, as an absolute path so that a run can be resumed from anywhere; or one of these words. */
export const folder = (...words: readonly string[]) =>
  z.string().transform((path) => (words.includes(path) ? path : resolve(path)));

/** How a key of a run that has begun may change: to a larger value, or to any, as that of a measurement, on which no weight depends. */
export type Change = 'grows' | 'any';

/**
 * Declares that `weir resume --set` may change a key. Without it the key stays what the run was started with.
 *
 * @param type of the key, with its default and description
 * @example config: { testEvery: changeable(z.int().min(1).default(1), 'any') }
 */
export const changeable = <T extends z.ZodType>(type: T, change: Change): T => type.meta({ change });

/** How a key may change; undefined where it may not. */
export const changeOf = (type: unknown): Change | undefined => (type as z.ZodType).meta()?.change as Change | undefined;

/**
 * Declares that a key acts on a regularizer alone: on γ, say, no network depends that has none. So such a network is wired with the key's
 * default whatever is set, and a sweep over the key trains it once for all values.
 *
 * @param type of the key, with its default and description
 * @example config: { strength: ofRegularizer(z.number().min(0).default(0.01)) }
 */
export const ofRegularizer = <T extends z.ZodType>(type: T): T => type.meta({ ofRegularizer: true });

/** The defaults of the keys that act on a regularizer alone. */
export const regularizerDefaults = (shape: ConfigShape): AnyConfig =>
  Object.fromEntries(
    Object.entries(shape).flatMap(([key, type]) => {
      const known = (type as z.ZodType).safeParse(undefined);
      return (type as z.ZodType).meta()?.ofRegularizer === true && known.success ? [[key, known.data]] : [];
    }),
  );

/** Values for some keys, under a name: `--set profile=quick`. */
export type Profiles<S extends ConfigShape> = Readonly<Record<string, Partial<z.input<z.ZodObject<S>>>>>;

export interface ConfigOptions {
  /** The config of an earlier run. */
  readonly before?: Readonly<Record<string, unknown>>;
  /** Values in place of those that this machine is too slow for. */
  readonly fallback?: Readonly<Record<string, unknown>>;
  /** How the settings were given, for error messages. */
  readonly source?: string;
  /** Rules of the pipeline's own settings. */
  readonly rules?: readonly Rule[];
  /** Receives a line about each default that gave way to a value that was set. */
  readonly tell?: (line: string) => void;
}

/**
 * Resolves a config: the user's values override those of an earlier run, these the profile's, and these the pipeline's defaults.
 *
 * @param settings `key=value` each; a list is written `a,b` or `[a,b]`; `profile=NAME` picks a profile
 * @throws {WeirError} names the key, its valid values and the nearest known key or profile; or two keys that cancel each other
 */
export function resolveConfig<S extends ConfigShape>(
  shape: S,
  profiles: Profiles<S>,
  settings: readonly string[],
  { before = {}, fallback = {}, source = '--set', rules, tell }: ConfigOptions = {},
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
    values[key] = parseValue(key, text, type, source);
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

/**
 * Checks values as a script gives them: of the key's own type. What is text on the command line is a number here, where the key is one.
 *
 * @param source how they were given, for error messages
 * @throws {WeirError} names the key, the value, and what is valid
 */
export function checkValues(shape: ConfigShape, values: object, source: string): void {
  for (const [key, value] of Object.entries(values)) {
    const type = Object.hasOwn(shape, key) ? (shape[key] as z.ZodType) : undefined;
    if (type === undefined) continue; // reported as unknown where the config is resolved
    const tried = type.safeParse(value);
    if (tried.success) continue;
    const why = tried.error.issues.map(({ message }) => message).join('; ');
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    throw new WeirError(`${source} ${key}: ${JSON.stringify(value)}: ${why}`, remedy(key, text ?? 'undefined', type));
  }
}

const changeTexts = {
  none: '',
  grows: '; `resume --set` may raise it',
  any: '; `resume --set` may change it',
} as const;

/** The keys of a config, a line each: name, default, description, type, and whether it may change within a run. */
export function describeConfig(shape: ConfigShape): string {
  const rows = Object.entries(shape).map(([key, type]) => {
    const known = (type as z.ZodType).safeParse(undefined);
    const given = known.success ? valueText(known.data ?? '') : '…';
    const { description } = type as z.ZodType;
    const change = changeTexts[changeOf(type) ?? 'none'];
    const accepted = `(${typeText(jsonSchemaOf(type as z.ZodType))}${change})`;
    return [`${key}=${given}`, description === undefined ? accepted : `${description} ${accepted}`] as const;
  });
  return textTable(rows)
    .map((line) => `  ${line}`)
    .join('\n');
}

function parseSetting(setting: string): [key: string, value: string] {
  const equals = setting.indexOf('=');
  if (equals > 0) return [setting.slice(0, equals), setting.slice(equals + 1)];
  throw new WeirError(`--set ${setting} is not of the form key=value`, `write --set ${setting}=VALUE`);
}

/** The value of a text: read as JSON, as plain text or as a list, whichever the key's type accepts first. */
function parseValue(key: string, text: string, type: unknown, source: string): unknown {
  const schema = type as z.ZodType;
  const parts = partsOf(text);
  const twice = keyTwice(text);
  if (twice !== undefined)
    throw new WeirError(`${source} ${key}=${text}: '${twice}' is named twice`, 'leave one of them out');
  const readings = [fromJson(text), text, parts.map((part) => fromJson(part)), parts];
  const right = readings.find((reading) => reading !== undefined && schema.safeParse(reading).success);
  if (right !== undefined) return right;
  const tried = schema.safeParse(jsonSchemaOf(schema).type === 'array' ? parts : (fromJson(text) ?? text));
  const why = tried.success ? '' : tried.error.issues.map((issue) => issue.message).join('; ');
  throw new WeirError(`${source} ${key}=${text}: ${why}`, remedy(key, text, schema));
}

/** A key that a flat JSON object has twice, of which JSON.parse would take the last in silence. */
function keyTwice(text: string): string | undefined {
  const read = fromJson(text);
  if (!isRecord(read) || Object.values(read).some((value) => typeof value === 'object')) return undefined;
  const strings = [...text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?/g)];
  const keys = strings.flatMap(([, one, colon]) => (colon === undefined ? [] : [String(JSON.parse(one!))]));
  return keys.find((one, i) => keys.indexOf(one) !== i);
}

/** The parts of a list: a,b or [a,b]. */
const partsOf = (text: string): string[] => text.replace(/^\[(.*)\]$/, '$1').split(',');

function remedy(key: string, text: string, schema: z.ZodType): string {
  const json = jsonSchemaOf(schema);
  const options = wordsOf(json);
  const about = schema.description === undefined ? '' : ` (${schema.description})`;
  const known = schema.safeParse(undefined);
  const unset = known.data === undefined ? 'it may be left out' : `its default is ${valueText(known.data)}`;
  const usual = known.success ? unset : 'it must be given';
  if (options.length === 0) return `${key}${about} is ${article(typeText(json))}; ${usual}`;
  const odd = partsOf(text).find((part) => !options.includes(part)) ?? text;
  const near = nearest(odd, options);
  const all = `${key}${about} is ${json.type === 'array' ? 'a list of' : 'one of'} ${options.join(', ')}`;
  return near === undefined ? all : `did you mean '${near}'? ${all}`;
}

/** What a type accepts, as far as it says: `z.toJSONSchema` looks inside of defaults. */
interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

const jsonSchemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as JsonSchema;

/** The words that a type accepts, inside of lists too. */
const wordsOf = ({ enum: words, items }: JsonSchema): string[] => [...(words ?? items?.enum ?? [])].map(String);

const typeNames: Readonly<Record<string, string>> = {
  integer: 'whole number',
  boolean: 'true or false',
  string: 'text',
};

/** A type in a few words: whole number, list of number, one of a, b. */
function typeText({ type = '', enum: words, const: only, items, anyOf }: JsonSchema): string {
  if (words !== undefined) return `one of ${words.join(', ')}`;
  if (only !== undefined) return String(only);
  if (anyOf !== undefined) return anyOf.map(typeText).join(', or ');
  if (type === 'array') return items?.enum ? `list of ${items.enum.join(', ')}` : 'list';
  return typeNames[type] ?? (type || 'any value');
}

const article = (type: string): string => (/^(whole number|number|text|list)/.test(type) ? `a ${type}` : type);

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An error about an unknown name, with the nearest known one where one is near, and all of them. */
export function unknown(kind: string, name: string, known: readonly string[]): WeirError {
  return new WeirError(`there is no ${kind} '${name}'`, suggestion(name, known, `there are ${known.join(', ')}`));
}

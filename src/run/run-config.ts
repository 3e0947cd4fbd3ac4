import { resolve } from 'node:path';
import leven from 'leven';
import { z } from 'zod';
import { WeirError } from '../flow/errors.js';
import { type Rule, settled } from './settings.js';

export { z };

/** The keys of a pipeline's config, each a zod type with a default. */
export type Shape = z.ZodRawShape;
export type Config<S extends Shape> = z.output<z.ZodObject<S>>;

/** A key that holds a folder, kept as an absolute path so that a run can be resumed from anywhere; or one of some words. */
export const folder = (...words: readonly string[]) =>
  z.string().transform((path) => (words.includes(path) ? path : resolve(path)));

/** Values for some keys, under a name: `--set profile=quick`. */
export type Profiles<S extends Shape> = Readonly<Record<string, Partial<z.input<z.ZodObject<S>>>>>;

interface Earlier {
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
  { before = {}, fallback = {}, said = '--set', rules, tell }: Earlier = {},
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
    return { ...settled(parsed.data as Config<S>, profile, resolved, rules, tell), profile };
  }
  const issue = parsed.error.issues[0]!;
  throw new WeirError(
    `config: ${issue.path.join('./')}: ${issue.message}`,
    'correct the pipeline’s defaults or profile',
  );
}

/** One line a key: its name, default and description. */
export function describeConfig(shape: Shape): string {
  const rows = Object.entries(shape).map(([key, type]) => {
    const known = (type as z.ZodType).safeParse(undefined);
    return [`${key}=${known.success ? show(known.data) : '…'}`, (type as z.ZodType).description ?? ''] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join('\n');
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

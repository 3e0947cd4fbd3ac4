import leven from 'leven';
import { WeirError } from './errors.js';
import { noticeOnce } from './terminal.js';

/** Whether each key of an options object must be given: a table that TypeScript holds to the type of the options. */
export type OptionKeys<O> = {
  readonly [K in keyof O]-?: Record<never, never> extends Pick<O, K> ? 'optional' : 'required';
};

/** Options and functions of earlier versions, and those of PyTorch, whose names no edit distance leads from. */
const renamed: Readonly<Record<string, string>> = {
  draw: 'loader',
  ensemblePenalty: 'ensembleRegularizer',
  penalty: 'regularizer',
  penaltyKinds: 'spectralKinds',
  spectralPenalty: 'spectralRegularizer',
  standardize: 'normalize',
  // of PyTorch, torchvision and timm
  T_max: 'epochs',
  batchSize: 'batch',
  batch_size: 'batch',
  betas: 'beta1',
  eps: 'epsilon',
  eta_min: 'floor',
  gamma: 'factor',
  kernel_size: 'size',
  label_smoothing: 'smoothing',
  labelSmoothing: 'smoothing',
  learningRate: 'rate',
  learning_rate: 'rate',
  lr: 'rate',
  ns_steps: 'iterations',
  num_workers: 'threads',
  numWorkers: 'threads',
  p: 'probability',
  step_size: 'every',
  stepSize: 'every',
  trust_coeff: 'trust',
  weightDecay: 'decay',
  weight_decay: 'decay',
};

/** The name that an option or function of an earlier version has now; undefined of any other word. */
export const newName = (word: string): string | undefined => (Object.hasOwn(renamed, word) ? renamed[word] : undefined);

/** The keys of a pipeline's config: a symbol, so that it goes along where the config is spread into options. */
const configKeys = Symbol('keys of the config');

/** The config as a pipeline's functions get it: handed over whole as options, or spread into them, its keys are not refused. */
export const markedConfig = <C extends object>(config: C): C => ({ ...config, [configKeys]: Object.keys(config) });

/**
 * Checks the keys of an options object. A pipeline runs without type checks, so a misspelled option would be dropped in silence.
 *
 * A key that is no option is refused, unless it is a key of the pipeline's config: a config may be handed over whole, as in `sgd(config)`
 * and `readout(model, train, test, { ...config, batch: 500 })`. Where such a key is an old name or a misspelling of an option that was not
 * given, a notice says so, once.
 *
 * @param where the function that takes the options, for the message
 * @returns the options
 * @throws {WeirError} names the function, the key, the nearest option and all options; or the required options that are missing
 * @example
 * const keys: OptionKeys<AttackOptions & { readonly step?: number }> = { ...attackOptionKeys, step: 'optional' };
 * const { step = 0.1 } = checkOptions<AttackOptions & { readonly step?: number }>('outwards', { samples: 10, seed: 0, step: 0.2 }, keys);
 */
export function checkOptions<O extends object>(where: string, options: O, keys: OptionKeys<NoInfer<O>>): O {
  const known = Object.keys(keys);
  const list = known.join(', ');
  if (typeof (options ?? {}) !== 'object') {
    throw new WeirError(`${where} was given ${JSON.stringify(options)} as its options`, `give an object of ${list}`);
  }
  const given: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(options ?? {}));
  const ofConfig = (options as { readonly [configKeys]?: readonly string[] } | undefined)?.[configKeys] ?? [];
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(keys, key)) continue;
    const meant = optionMeant(key, known);
    if (ofConfig.includes(key)) {
      if (meant !== undefined && given[meant] === undefined)
        noticeOnce(
          `${where} ignores the config's key '${key}', and its option '${meant}' was not given: is that meant?`,
        );
      continue;
    }
    throw new WeirError(
      `${where} has no option '${key}'`,
      known.length === 0 ? 'leave it out: there are none' : suggestion(key, known, `the options are ${list}`),
    );
  }
  const missing = known.filter((key) => keys[key as keyof O] === 'required' && given[key] === undefined);
  if (missing.length === 0) return options;
  throw new WeirError(`${where} was not given ${missing.join(', ')}`, `the options are ${list}`);
}

/**
 * The one option that was given of several that exclude each other: with two, one would be dropped in silence.
 *
 * @param where the function that takes the options @param keys that exclude each other @param example what is right
 * @returns the key @throws {WeirError} names the function, and those that were given
 */
export function oneOf<K extends string>(where: string, options: object, keys: readonly K[], example: string): K {
  const given = keys.filter((key) => (options as Readonly<Record<string, unknown>>)[key] !== undefined);
  const [only, ...others] = given;
  if (only !== undefined && others.length === 0) return only;
  const what = only === undefined ? `none of ${keys.join(', ')}` : `${given.join(' and ')}, which exclude each other`;
  throw new WeirError(`${where} was given ${what}`, `give one of them: ${example}`);
}

/** Refuses options that have no effect beside others. @param why they have none @throws {WeirError} that names the function and the options */
export function checkUnused(where: string, options: object, keys: readonly string[], why: string): void {
  const given = keys.filter((key) => (options as Readonly<Record<string, unknown>>)[key] !== undefined);
  if (given.length > 0)
    throw new WeirError(`${where} was given ${given.join(' and ')}, but ${why}`, 'leave one of them out');
}

/** The option that an unknown key is an old name or a misspelling of. */
function optionMeant(key: string, known: readonly string[]): string | undefined {
  const now = renamed[key];
  if (now !== undefined) return known.includes(now) ? now : undefined;
  const edits = key.length < 4 ? 0 : key.length < 6 ? 1 : 2;
  return known.find((one) => one.toLowerCase() === key.toLowerCase()) ?? nearby(key, known, edits);
}

const nearby = (key: string, known: readonly string[], edits: number): string | undefined =>
  byDistance(key, known).find((one) => leven(key, one) <= edits);

const byDistance = (word: string, words: readonly string[]): string[] =>
  [...words].sort((a, b) => leven(word, a) - leven(word, b));

/** The known word that an unknown one stands for: its new name, its other spelling or its beginning; none where no word is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const now = renamed[word];
  if (now !== undefined && words.includes(now)) return now;
  const edits = word.length < 3 ? 0 : word.length < 5 ? 1 : word.length < 10 ? 2 : 3;
  const begun = word.length < 2 ? undefined : words.find((known) => known.startsWith(word));
  return words.find((known) => known.toLowerCase() === word.toLowerCase()) ?? begun ?? nearby(word, words, edits);
}

/** A remedy for an unknown word: the nearest one, where one is near, and then `all`, a clause that names the known ones. */
export function suggestion(word: string, words: readonly string[], all: string): string {
  const near = nearest(word, words);
  return near === undefined ? all : `did you mean '${near}'? ${all[0]?.toUpperCase()}${all.slice(1)}`;
}

/** The range of a number, besides that it is finite. */
export interface NumberRange {
  /** From this on; by default 0. */
  readonly least?: number;
  /** Above this, in the place of `least`. */
  readonly above?: number;
  /** Below this. */
  readonly below?: number;
  /** To this. */
  readonly most?: number;
  /** Whether it is a count, without a fraction. */
  readonly whole?: boolean;
}

/**
 * Each a finite number in a range: text that reads as one is none.
 *
 * @param where the function or part that was given them
 * @throws {WeirError} that names it, key and value
 */
export function checkNumbers(where: string, numbers: Readonly<Record<string, unknown>>, range: NumberRange = {}): void {
  const { least = 0, above, below, most, whole = false } = range;
  for (const [key, value] of Object.entries(numbers)) {
    const number = value as number;
    const isOfKind = whole ? Number.isInteger(value) : Number.isFinite(value);
    const begins = above === undefined ? number >= least : number > above;
    if (isOfKind && begins && number < (below ?? Number.POSITIVE_INFINITY) && number <= (most ?? number)) continue;
    const begin = above === undefined ? `from ${least}` : `above ${above}`;
    const open = above === undefined ? ' on' : '';
    const end = below !== undefined ? ` to less than ${below}` : most !== undefined ? ` to ${most}` : open;
    throw new WeirError(
      `${where} was given ${key} = ${shown(value)}`,
      `give a ${whole ? 'whole' : 'finite'} number ${begin}${end}`,
    );
  }
}

/** A value that is one of several. @throws {WeirError} that names key and value, and the nearest one */
export function checkChoice(where: string, key: string, value: unknown, choices: readonly (string | boolean)[]): void {
  if (choices.includes(value as string)) return;
  const words = choices.map(String);
  const all = `${key} is one of ${words.join(', ')}`;
  throw new WeirError(
    `${where} was given ${key} = ${shown(value)}`,
    typeof value === 'string' ? suggestion(value, words, all) : all,
  );
}

const shown = (value: unknown): string =>
  typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value);

/**
 * Each a whole number from 1 on, or to its limit.
 *
 * @param where the function or stage that was given them, for the message
 * @throws {WeirError} that names it, key and value
 * @example checkCounts('outwards', { iterations: 10 }, { iterations: 1000 })
 */
export function checkCounts(
  where: string,
  counts: Readonly<Record<string, number>>,
  limits: Readonly<Record<string, number>> = {},
): void {
  for (const [key, value] of Object.entries(counts)) {
    const { [key]: most } = limits;
    checkNumbers(where, { [key]: value }, { least: 1, whole: true, ...(most !== undefined && { most }) });
  }
}

import { type Data, isRecord } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions, type OptionKeys } from '../../flow/options.js';
import { extension, readModules, readTypeScript } from '../../storage/typescript.js';
import type { OpData, OpDefinition } from './ops/op.js';
import { definitionOf, moduleOf, type Recipe, register } from './recipes.js';

/** Options of an op: plain data by name. */
export type PlainOptions = { readonly [key: string]: Data };

/** What an op of one's own is: its name, its module, its options and its meaning. */
export type OwnOp<Options extends PlainOptions> = OpDefinition<OpData & NoInfer<Options>> & {
  /** In recipes and errors; the op's random numbers are keyed by it. Letters and digits, none of Weir's own ops. */
  readonly name: string;
  /** `import.meta.url` of the module that defines the op, and exports it: worker threads import it from there. */
  readonly module: string;
  /** All options, each with its value where a recipe gives none; plain data. The op has none where this is left out. */
  readonly defaults?: Options;
};

/** An op of one's own as a recipe takes it: called with its options. */
export interface OwnOpBuilder<Options extends PlainOptions> {
  (options?: Partial<Options>): OpData & Options;
  readonly op: string;
  readonly definition: OpDefinition<OpData & Options>;
  readonly module: string;
}

/**
 * Defines an augmentation op, which stands in recipes as Weir's own do, and runs in the same worker threads.
 *
 * `kind` says what the op works on: 'light' each value by itself, without chance (these run on the main thread, too); 'moving' changes
 * places, of bytes or floats; 'pixels' bytes; 'free' floats; 'resizing' images of any size. `prepare(options, shape)` is called once
 * for a recipe and a shape: it checks the options, and returns the function that changes one sample in place. That function takes
 * chance from its second argument alone: `random()` starts the numbers of this op, sample, epoch and view. So any number of threads gives the same
 * bits.
 *
 * The module is imported in every worker thread: keep it small, and the pipeline in another one. TypeScript takes `import.meta` in a package of
 * `"type": "module"`. Its source is part of the run's identity, as that of
 * every module that a pipeline imports.
 *
 * @throws {WeirError} for a name that is taken, a kind that is none, or options that are no plain data
 * @example
 * export const darken = defineOp({
 *   name: 'darken',
 *   module: import.meta.url,
 *   kind: 'pixels',
 *   defaults: { most: 0.5 },
 *   prepare: ({ most }) => (values, random) => {
 *     const scale = 1 - most * random().uniform();
 *     for (let i = 0; i < values.length; i++) values[i] = Math.round(values[i]! * scale);
 *   },
 * });
 */
export function defineOp<Options extends PlainOptions = Record<never, never>>(
  definition: OwnOp<Options>,
): OwnOpBuilder<Options> {
  const {
    name,
    module,
    kind,
    defaults = {} as Options,
  } = checkOptions(
    'defineOp',
    definition as OwnOp<PlainOptions>,
    { name: 'required', module: 'required', kind: 'required', prepare: 'required', defaults: 'optional' } as const,
  ) as OwnOp<Options>;
  if (typeof name !== 'string' || !/^[a-zA-Z][a-zA-Z0-9]*$/.test(name)) {
    throw new WeirError(`an op was called ${JSON.stringify(name)}`, 'give a name of letters and digits');
  }
  if (!kinds.includes(kind)) {
    throw new WeirError(`op '${name}' is of kind ${JSON.stringify(kind)}`, `the kinds are ${kinds.join(', ')}`);
  }
  if (typeof module !== 'string' || !module.startsWith('file:')) {
    throw new WeirError(`op '${name}' was given the module ${JSON.stringify(module)}`, 'give module: import.meta.url');
  }
  if (!isPlain(defaults)) {
    throw new WeirError(
      `the defaults of op '${name}' hold something else than numbers, texts, flags and lists`,
      'give plain data, for options cross to worker threads',
    );
  }
  const keys = Object.fromEntries(Object.keys(defaults).map((key) => [key, 'optional']));
  const build = (options: Partial<Options> = {}): OpData & Options => {
    checkOptions<object>(name, options, keys as OptionKeys<object>);
    return { ...defaults, ...options, op: name };
  };
  const own = { op: name, definition: definition as OpDefinition<OpData>, module: fileOf(module) };
  register(own);
  return Object.assign(build, own) as OwnOpBuilder<Options>;
}

const kinds: readonly OpDefinition<OpData>['kind'][] = ['light', 'moving', 'pixels', 'free', 'resizing'];

/** The module without what a loader has added to its address. */
const fileOf = (module: string): string => module.replace(/[?#].*$/, '');

const isPlain = (value: unknown): boolean =>
  value === null ||
  ['number', 'string', 'boolean'].includes(typeof value) ||
  ((Array.isArray(value) || isRecord(value)) && Object.values(value).every(isPlain));

/** The modules that define ops of these recipes, by op; none for Weir's own. */
export type OpModules = Readonly<Record<string, string>>;

/** @throws {WeirError} for an op that is not defined */
export const opModules = (recipes: readonly Recipe[]): OpModules =>
  Object.fromEntries(
    recipes.flat().flatMap((op) => {
      definitionOf(op);
      const module = moduleOf(op);
      return module === undefined ? [] : [[op.op, module]];
    }),
  );

const learned = new Map<string, Promise<void>>();

/** Makes ops of the user's known in this thread, by importing their modules. @throws {WeirError} that names op and module */
export async function learnOps(modules: OpModules): Promise<void> {
  for (const [op, module] of Object.entries(modules)) {
    let learning = learned.get(op);
    if (learning === undefined) {
      learning = learn(op, module);
      learned.set(op, learning);
    }
    await learning;
  }
}

let reading: Promise<void> | undefined;

async function readersAdded(): Promise<void> {
  if (extension() === '.ts') await readTypeScript(); // this thread was started with the reader of CommonJS alone
  await readModules();
}

async function learn(op: string, module: string): Promise<void> {
  reading ??= readersAdded();
  await reading;
  let found: Readonly<Record<string, unknown>>;
  try {
    found = await import(module);
  } catch (cause) {
    throw new WeirError(
      `the module ${module} of op '${op}' cannot be imported in a worker thread: ${(cause as Error).message}`,
      'define the op in a module of its own, which imports no more than it needs',
      { cause },
    );
  }
  const own = Object.values(found).find((one) => (one as Partial<OwnOpBuilder<PlainOptions>> | undefined)?.op === op);
  if (own === undefined) {
    throw new WeirError(
      `the module ${module} does not export its op '${op}', so worker threads cannot find it`,
      `write: export const ${op} = defineOp({ … })`,
    );
  }
  register({
    ...(own as OwnOpBuilder<PlainOptions>),
    definition: (own as OwnOpBuilder<PlainOptions>).definition as never,
  });
}

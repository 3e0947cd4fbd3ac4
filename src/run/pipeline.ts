import type { Observable } from 'rxjs';
import { WeirError } from '../flow/errors.js';
import { Flow } from '../flow/flow.js';
import { canonicalName, sameNames } from '../flow/header.js';
import { declarationsOf } from '../flow/node.js';
import { checkOptions, markedConfig } from '../flow/options.js';
import type { Reference } from '../measure/networks/record.js';
import { checkReference } from '../measure/networks/reference.js';
import type { FigureRequest } from '../plot/figure.js';
import { transferOf } from '../plot/style.js';
import type { FigureName } from '../report/figures.js';
import { inputsOf, type NetworkInputs } from '../storage/identity.js';
import { type RecordDescriptions, type RecordSchema, record } from '../storage/record.js';
import type { RunConfig } from '../storage/run-folder.js';
import {
  type Config,
  type ConfigOptions,
  type ConfigShape,
  type Profiles,
  regularizerDefaults,
  resolveConfig,
  z,
} from './config.js';
import type { Rule } from './config-rules.js';

/** One network that a pipeline trains: a graph of its own, run after those before it. */
export interface Network {
  /** Unique in the run; small letters, digits and '-'. */
  readonly name: string;
  /** Its name in figures and tables; by default the regularizer of the training step. */
  readonly regularizer?: string;
  readonly seed: number;
  /** Epochs of its training, where they are not the config's `epochs`. */
  readonly epochs?: number;
  /** The networks that one graph trains at once. Items with a field `network` are logged under that name. */
  readonly members?: readonly Network[];
  /**
   * Starts from the state of an earlier network at the end of an epoch, and so saves that part of the training. Right where the two
   * differ only later, as with regularizers that are switched on after a burn-in.
   */
  readonly branch?: { readonly of: string; readonly epoch: number };
}

/** What is logged of a network before its first update. */
export const networkRecord = record({
  name: 'network',
  role: 'network',
  fields: {
    name: z.string(),
    seed: z.int(),
    regularizer: z.string().optional(),
    epochs: z.int().optional(),
    classes: z.array(z.string()).optional(),
    sampleShape: z.array(z.int()).optional(),
  },
});

/** The schemas of the streams of a graph, by stream: each that its stages declare. */
export function recordsDeclaredBy(flow: Flow): RecordDescriptions {
  return Object.fromEntries([
    ['network', networkRecord.description],
    ...declaredIn(flow).map(([stream, { description }, changed]) => [
      stream,
      changed ? { ...description, open: true } : description,
    ]),
  ]);
}

/** The schemas that the records of a graph are checked against, by stream; none of a stream whose items operators may have changed. */
export const checkedRecords = (flow: Flow): ReadonlyMap<string, RecordSchema> =>
  new Map(declaredIn(flow).flatMap(([stream, schema, changed]) => (changed ? [] : [[stream, schema]])));

function declaredIn(flow: Flow): (readonly [stream: string, schema: RecordSchema, changed: boolean])[] {
  return flow.nodes
    .filter(({ kind }) => kind === 'sink')
    .flatMap((sink) => {
      const [declared] = declarationsOf(sink);
      if (declared === undefined) return [];
      return [[streamName(sink.name), declared.declaration as RecordSchema, declared.changed] as const];
    });
}

/** What a stream `tests$` is called outside of the pipeline: `tests`. */
export const streamName = (key: string): string => key.replace(/\$$/, '');

/** The shape of a sample and the names of the classes, for figures. */
export interface LearningTask {
  readonly sampleShape: readonly number[];
  readonly classes: readonly string[];
}

/** The argument of `wire`. */
export interface Wiring<S extends ConfigShape, N extends Network> {
  readonly config: Config<S>;
  readonly network: N;
  readonly seed: number;
}

/** The streams of a graph by name: each is subscribed to, and its items go into the metric log under its name. */
export type Streams = Readonly<Record<`${string}$`, Observable<unknown>>>;

/** An experiment as a TypeScript module exports it by default. */
export interface Pipeline<S extends ConfigShape = ConfigShape, N extends Network = Network> {
  readonly name: string;
  /** A line about it, for `--help` and the report. */
  readonly title: string;
  readonly task: LearningTask | undefined;
  readonly config: S;
  readonly profiles: Profiles<S>;
  readonly fallback: Partial<z.input<z.ZodObject<S>>>;
  readonly reproduce: Reproduction;
  readonly figures: readonly PipelineFigure[];
  readonly reference: Reference | undefined;
  /** Rules for its settings, besides those of the shared keys (`config.ts`). */
  readonly rules?: readonly Rule[];
  networks(config: Config<S>, seed: number): readonly N[];
  wire(wiring: Wiring<S, N>): Streams | Promise<Streams>;
}

/** A figure of the report, by its name, where a pipeline asks for it. */
export type PipelineFigure = FigureRequest<FigureName>;

/** The runs that make up an experiment of the paper. */
export interface Reproduction {
  /** `key=value` each, by the name of the setting; by default one setting without a name, with the paper's values. */
  readonly settings?: Readonly<Record<string, readonly string[]>>;
  /** A pipeline that is reproduced first; the folder of its run becomes the config's key `from`. */
  readonly after?: string;
}

export interface PipelineDefinition<S extends ConfigShape, N extends Network> {
  readonly name: string;
  readonly title?: string;
  readonly task?: LearningTask;
  readonly config: S;
  readonly profiles?: Profiles<S>;
  /** Values for machines on which TensorFlow runs on WebAssembly, many times slower. The user's values override them. */
  readonly fallback?: Partial<z.input<z.ZodObject<S>>>;
  /** The runs of `weir reproduce`. */
  readonly reproduce?: Reproduction;
  /** The figures that stand first in its report, in this order, with the words of a paper on them; those that apply follow. */
  readonly figures?: readonly PipelineFigure[];
  /** Numbers of others for its networks: the report sets its own beside them. */
  readonly reference?: Reference;
  /** Rules for its settings, besides those of the shared keys: `endsWith('logEvery', 'epochs', 'logged')`. */
  readonly rules?: readonly Rule[];
  /** By default a single one, of the pipeline's name. */
  readonly networks?: (config: Config<S>, seed: number) => readonly N[];
  readonly wire: (wiring: Wiring<S, N>) => Streams | Promise<Streams>;
}

/**
 * Defines an experiment: its config, the networks it trains, and how streams are wired into a graph for each.
 *
 * `wire` starts nothing, and returns the same graph for the same config, network and seed.
 *
 * @example
 * export default pipeline({
 *   name: 'corners',
 *   config: { epochs: z.int().min(1).default(200) },
 *   wire({ config, seed }) {
 *     const updates$ = loader(xor(), { epochs: config.epochs, seed }).pipe(
 *       augment([], { seed }),
 *       batch(4),
 *       train(mlp([2, 4, 2]), { loss: crossEntropy(), optimizer: sgd({ rate: 1 }), seed }),
 *     );
 *     return { updates$ };
 *   },
 * });
 */
export function pipeline<S extends ConfigShape, N extends Network = Network>(
  definition: PipelineDefinition<S, N>,
): Pipeline<S, N> {
  checkOptions('pipeline', definition, {
    name: 'required',
    title: 'optional',
    task: 'optional',
    config: 'required',
    profiles: 'optional',
    fallback: 'optional',
    reproduce: 'optional',
    figures: 'optional',
    reference: 'optional',
    rules: 'optional',
    networks: 'optional',
    wire: 'required',
  });
  const single = (_: Config<S>, seed: number): readonly N[] => [{ name: definition.name, seed } as N];
  return {
    name: definition.name,
    title: definition.title ?? definition.name,
    task: definition.task,
    config: definition.config,
    profiles: definition.profiles ?? {},
    fallback: definition.fallback ?? {},
    reproduce: definition.reproduce ?? {},
    figures: definition.figures ?? [],
    reference: definition.reference && checkReference(definition.name, definition.reference),
    rules: definition.rules ?? [],
    networks(config, seed) {
      const networks = (definition.networks ?? single)(markedConfig(config), seed);
      checkNames(definition.name, networks);
      return networks;
    },
    wire: ({ config, network, seed }) =>
      definition.wire({ network, seed, config: markedConfig(configFor(definition.config, config, network)) }),
  };
}

/**
 * The config that a network is wired with: of one without a regularizer, the keys that act on a regularizer alone have their defaults. So
 * it is the same network under all their values, whatever `wire` does with them.
 */
export const configFor = <C extends object>(shape: ConfigShape, config: C, network: Network): C =>
  isUnregularized(network) ? { ...config, ...regularizerDefaults(shape) } : config;

/** Whether a network is trained by itself and without a regularizer; of one that was pretrained, fine-tuned without one. */
export function isUnregularized({ regularizer = '', members }: Network): boolean {
  return members === undefined && (transferOf(regularizer)?.finetuned ?? regularizer) === 'none';
}

/**
 * The networks that a run trains, in their order: those that a sweep trained for it first, for they are there when it begins. Of a run that
 * trains a part for others, that part.
 */
export function networksOfRun(
  pipeline: Pick<Pipeline, 'networks'>,
  { seed, part, taken }: Pick<RunConfig, 'seed' | 'part' | 'taken'>,
  config: RunConfig['config'],
): readonly Network[] {
  const all = pipeline.networks(config, seed);
  if (part !== undefined) return all.filter(({ name }) => Object.hasOwn(part, name));
  const first = all.filter(({ name }) => taken?.networks.includes(name));
  return [...first, ...all.filter((network) => !first.includes(network))];
}

/** The config of a pipeline with these settings, by its own rules too: see `resolveConfig`. */
export const configOf = (
  { config, profiles, rules = [] }: Pipeline,
  settings: readonly string[],
  options: Omit<ConfigOptions, 'rules'> = {},
) => resolveConfig(config, profiles, settings, { ...options, rules });

function checkNames(pipelineName: string, networks: readonly Network[]): void {
  if (networks.length === 0) {
    throw new WeirError(
      `pipeline '${pipelineName}' lists no networks`,
      'give it one regularizer and one seed at least',
    );
  }
  const names = networks.flatMap(({ name, members = [] }) => [name, ...members.map((member) => member.name)]);
  const lost = networks.find(({ branch }, i) => branch && !networks.slice(0, i).some(({ name }) => name === branch.of));
  if (lost !== undefined) {
    throw new WeirError(
      `network '${lost.name}' of pipeline '${pipelineName}' branches off '${lost.branch!.of}', which is not listed before it`,
      'list that one first',
    );
  }
  const odd = names.find((name, i) => !/^[a-z][a-z0-9-]*$/.test(name) || names.indexOf(name) !== i);
  if (odd === undefined) return;
  throw new WeirError(
    `pipeline '${pipelineName}' has a network called '${odd}'`,
    "names of networks are unique and of small letters, digits and '-'",
  );
}

type ConfigValues = Readonly<Record<string, unknown>>;

/** Wires the streams of the first network. @throws {WeirError} where `wire` returns no streams */
export const wireFirstNetwork = (pipeline: Pipeline, config: ConfigValues, seed: number): Promise<Streams> =>
  streamsOf(pipeline, config, pipeline.networks(config, seed)[0]!);

async function streamsOf(pipeline: Pipeline, config: ConfigValues, network: Network): Promise<Streams> {
  const streams: unknown = await pipeline.wire({ config, network, seed: network.seed });
  const named = Object.entries((streams ?? {}) as Record<string, unknown>);
  const odd = named.find(
    ([, stream]) => typeof (stream as { subscribe?: unknown } | undefined)?.subscribe !== 'function',
  );
  if (named.length > 0 && odd === undefined) return streams as Streams;
  throw new WeirError(
    `pipeline '${pipeline.name}' wires ${odd === undefined ? 'no streams' : `'${odd[0]}', which is no stream`}`,
    'return Observables by name from wire: { updates$, tests$ }',
  );
}

/**
 * Builds the graph of each network that differs from those before it in more than its name and seed, such as in its regularizer, and closes
 * it again.
 *
 * @throws {WeirError} where the parts of a graph do not go together
 */
export async function tryOut(pipeline: Pipeline, config: ConfigValues, seed: number): Promise<void> {
  const kinds = new Map(pipeline.networks(config, seed).map((network) => [kindOf(network), network]));
  for (const network of kinds.values()) {
    const flow = new Flow(await streamsOf(pipeline, config, network));
    try {
      flow.introduce();
      classesOfTask(pipeline, flow);
    } finally {
      flow.close();
    }
  }
}

const kindOf = ({ name: _, seed: __, branch: ___, members, ...rest }: Network): string =>
  JSON.stringify([rest, members?.length]);

/**
 * The names of the classes for figures, in the order of the labels: those of the pipeline's task, or those of the data where all logged
 * streams agree.
 *
 * @param flow that has introduced its parts @throws {WeirError} where the task has the data's names in another order
 */
export function classesOfTask(
  { name: pipeline, task }: Pick<Pipeline, 'name' | 'task'>,
  flow: Flow,
): readonly string[] | undefined {
  const sinks = flow.nodes.filter(({ kind }) => kind === 'sink');
  const known = sinks.flatMap(({ headers }) =>
    headers.flatMap(({ classes }) => (classes === undefined ? [] : [classes])),
  );
  if (task === undefined) {
    const [first] = known;
    return known.every(({ names }) => sameNames(names, first!.names)) ? first?.names : undefined;
  }
  for (const { of, names } of known) {
    const labels = task.classes.map((name) => names.map(canonicalName).indexOf(canonicalName(name)));
    const odd = labels.findIndex((own, label) => own !== -1 && own !== label);
    if (odd === -1) continue;
    throw new WeirError(
      `pipeline '${pipeline}' calls class ${odd} '${task.classes[odd]}', but in '${of}' that is class ${labels[odd]}`,
      `give task: { classes } in the order of the data: ${names.join(', ')}`,
    );
  }
  return task.classes;
}

/** Builds the graph of a network, reads all its data for their fingerprints, and closes it again. */
export async function takenIn(pipeline: Pipeline, config: ConfigValues, network: Network): Promise<NetworkInputs> {
  const flow = new Flow(await streamsOf(pipeline, config, network));
  try {
    return inputsOf(flow);
  } finally {
    flow.close();
  }
}

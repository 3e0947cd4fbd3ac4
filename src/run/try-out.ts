import { WeirError } from '../flow/errors.js';
import { Flow } from '../flow/flow.js';
import { oneSpelling, sameNames } from '../flow/header.js';
import { type Taken, takenBy } from '../storage/identity-identity.js';
import type { Network, Pipeline, Streams } from './run-pipeline.js';

type ConfigValues = Readonly<Record<string, unknown>>;

/** Wires the graph of the first network, its data read and its parts checked. @throws {WeirError} when it is none. */
export const wired = (pipeline: Pipeline, config: ConfigValues, seed: number): Promise<Streams> =>
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

/** Wires the graph of the first network and takes it down again. */
export async function tryOut(pipeline: Pipeline, config: ConfigValues, seed: number): Promise<void> {
  const flow = new Flow(await wired(pipeline, config, seed));
  try {
    flow.introduce();
    classesOfTask(pipeline, flow);
  } finally {
    flow.close();
  }
}

/**
 * The names of the classes for figures, in the order of the labels: those of the pipeline's task, else of the data, where all that is
 * logged has the same.
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
    const places = task.classes.map((name) => names.map(oneSpelling).indexOf(oneSpelling(name)));
    const odd = places.findIndex((place, label) => place !== -1 && place !== label);
    if (odd === -1) continue;
    throw new WeirError(
      `pipeline '${pipeline}' calls class ${odd} '${task.classes[odd]}', but in '${of}' that is class ${places[odd]}`,
      `give task: { classes } in the order of the data: ${names.join(', ')}`,
    );
  }
  return task.classes;
}

/** Wires the graph of a network, reads through what it takes in, and takes it down again. */
export async function takenIn(pipeline: Pipeline, config: ConfigValues, network: Network): Promise<Taken> {
  const flow = new Flow(await streamsOf(pipeline, config, network));
  try {
    return takenBy(flow);
  } finally {
    flow.close();
  }
}

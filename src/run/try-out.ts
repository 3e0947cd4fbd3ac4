import { oneSpelling } from '../core/class-names.js';
import { WeirError } from '../core/errors.js';
import { Flow } from '../core/flow.js';
import { type Taken, takenBy } from './identity/identity.js';
import type { Network, Pipeline, Streams } from './pipeline.js';

type Config = Readonly<Record<string, unknown>>;

/** Wires the graph of the first network, its data read and its parts checked. @throws {WeirError} when it is none. */
export const wired = (pipeline: Pipeline, config: Config, seed: number): Promise<Streams> =>
  streamsOf(pipeline, config, pipeline.networks(config, seed)[0]!);

async function streamsOf(pipeline: Pipeline, config: Config, network: Network): Promise<Streams> {
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
export async function tryOut(pipeline: Pipeline, config: Config, seed: number): Promise<void> {
  const flow = new Flow(await wired(pipeline, config, seed));
  try {
    flow.introduce();
    classesOfTask(pipeline, flow);
  } finally {
    flow.close();
  }
}

/**
 * The names of the classes for figures, in the order of the labels: those of the pipeline's task, else of the data.
 *
 * @param flow that has introduced its parts @throws {WeirError} where the task has the data's names in another order
 */
export function classesOfTask(
  { name, task }: Pick<Pipeline, 'name' | 'task'>,
  flow: Flow,
): readonly string[] | undefined {
  const known = flow.nodes.flatMap(({ kind, headers }) => (kind === 'sink' ? headers : []));
  const data = known.find(({ classes }) => classes !== undefined)?.classes;
  if (task === undefined || data === undefined) return task?.classes ?? data?.names;
  const names = data.names.map(oneSpelling);
  const odd = task.classes.findIndex((name, label) => ![-1, label].includes(names.indexOf(oneSpelling(name))));
  if (odd === -1) return task.classes;
  throw new WeirError(
    `pipeline '${name}' calls class ${odd} '${task.classes[odd]}', but in '${data.of}' that is class ${names.indexOf(oneSpelling(task.classes[odd]!))}`,
    `give task: { classes } in the order of the data: ${data.names.join(', ')}`,
  );
}

/** Wires the graph of a network, reads through what it takes in, and takes it down again. */
export async function takenIn(pipeline: Pipeline, config: Config, network: Network): Promise<Taken> {
  const flow = new Flow(await streamsOf(pipeline, config, network));
  try {
    return takenBy(flow);
  } finally {
    flow.close();
  }
}

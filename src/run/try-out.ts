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
  new Flow(await wired(pipeline, config, seed)).close();
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

import { WeirError } from '../core/errors.js';
import { Flow } from '../core/flow.js';
import type { Pipeline, Streams } from './pipeline.js';

/** Wires the graph of one network, its data read and its parts checked. @throws {WeirError} when it is none. */
export async function wired(
  pipeline: Pipeline,
  config: Readonly<Record<string, unknown>>,
  seed: number,
): Promise<Streams> {
  const network = pipeline.networks(config, seed)[0]!;
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
export async function tryOut(
  pipeline: Pipeline,
  config: Readonly<Record<string, unknown>>,
  seed: number,
): Promise<void> {
  new Flow(await wired(pipeline, config, seed)).close();
}

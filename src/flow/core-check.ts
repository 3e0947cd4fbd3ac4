import { type Node, path } from './core-node.js';
import { WeirError } from './errors.js';

/**
 * Refuses a graph that could not run: one that trains in two places, that forks before training where nobody counts, or whose
 * source may not have a whole batch outside. Gives sources without a capacity of their own the usual one.
 */
export function checkGraph(nodes: readonly Node[]): void {
  const serial = nodes.filter((node) => node.kind === 'serial');
  const sources = nodes.filter((node) => node.kind === 'source');
  if (serial.length > 1) {
    throw new WeirError(
      `the graph trains in ${serial.length} places: ${serial.map((node) => `'${node.name}'`).join(', ')}`,
      "train one network a graph; list several under the pipeline's `networks`",
    );
  }
  for (const { name } of serial.filter(
    (node) => sources.length > 0 && !nodes.some((one) => one.downstream.has(node)),
  )) {
    throw new WeirError(
      `'${name}' gets its items from a stream that another part of the graph listened to first`,
      "fork it with fanOut('name') instead of share(): then each branch has its part in demand and snapshots",
    );
  }
  for (const source of sources) giveCapacity(source);
}

/** By default three times what the hungriest stage waits for, and what may be in work besides. */
function giveCapacity(source: Node): void {
  const after = path(source);
  const hungry = after.reduce((most, node) => (node.needs > most.needs ? node : most), source);
  const inWork = after.reduce((sum, node) => sum + (Number.isFinite(node.limit) ? node.limit : 0), 0);
  if (source.limit === 0) source.limit = Math.max(1024, 3 * hungry.needs) + inWork;
  if (hungry.needs <= source.limit) return;
  throw new WeirError(
    `source '${source.name}' may have ${source.limit} samples outside, but '${hungry.name}' waits for ${hungry.needs}`,
    `raise the capacity of '${source.name}' to ${hungry.needs} or more`,
  );
}

/** The error of a graph that is not through and has nothing left to move it. */
export function standstill(nodes: readonly Node[]): WeirError {
  const holding = nodes.filter((node) => node.held > 0).map((node) => `'${node.name}' holds ${node.held} samples`);
  return new WeirError(
    `the graph stands still: ${holding.join(', ') || 'nothing holds anything'}, and nothing is under way`,
    'an operator of the pipeline neither hands on nor completes: look at what follows the stages named',
  );
}

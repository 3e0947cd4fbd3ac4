import type { SavedTensors } from '../../learn/saved.js';
import type { RunState } from '../execute.js';

/** The weights that a snapshot holds; none where its graph has no training step. */
export function weightsOf({ flow }: Pick<RunState, 'flow'>): SavedTensors {
  const train = (flow.nodes.train ?? flow.nodes.trained)?.state as { readonly weights: SavedTensors } | undefined;
  return train?.weights ?? [];
}

import type { AboutNetwork } from '../../learn/about.js';
import type { SavedTensors } from '../../learn/saved.js';
import { hashWeights } from '../hash.js';
import type { RunState } from '../run-state.js';

/** The state of the stage that owns the weights: the training step's, or that of a network taken up from another run. */
export const weightOwner = ({ flow }: Pick<RunState, 'flow'>): unknown =>
  (flow.nodes.train ?? flow.nodes.trained)?.state;

/** The weights that a snapshot holds; none where its graph has no training step. */
export const weightsOf = (state: Pick<RunState, 'flow'>): SavedTensors =>
  (weightOwner(state) as { readonly weights: SavedTensors } | undefined)?.weights ?? [];

/** SHA-256 of the weights that a snapshot holds, by name. */
export const weightsDigest = (state: Pick<RunState, 'flow'>): string =>
  hashWeights(Object.fromEntries(weightsOf(state).map(({ name, values }) => [name, values])));
/** What no tensor of them says; nothing in snapshots of earlier versions. */
export const aboutOf = (state: Pick<RunState, 'flow'>): AboutNetwork =>
  (weightOwner(state) as { readonly about?: AboutNetwork } | undefined)?.about ?? {};

import type { NetworkMetadata } from '../learn/about.js';
import type { SavedTensors } from '../learn/weights/saved-tensors.js';
import type { ReadoutState } from '../measure/readout/readout-readout.js';
import { hashWeights } from '../storage/digest.js';
import type { RunState } from '../storage/run-state.js';

/** The state of the stage that owns the weights: the training step's, or that of a network taken up from another run. */
export const weightOwner = ({ flow }: Pick<RunState, 'flow'>): unknown =>
  (flow.nodes.train ?? flow.nodes.trained)?.state;

/** The weights that a snapshot holds; none where its graph has no training step. */
export const weightsOf = (state: Pick<RunState, 'flow'>): SavedTensors =>
  (weightOwner(state) as { readonly weights: SavedTensors } | undefined)?.weights ?? [];

type Fitted = Extract<ReadoutState, { phase: 'fitted' }>;

/**
 * Readouts that were fitted anew to these weights, by the stage that did it: the tensors that take the place of the network's own, as
 * whatever followed that stage, an attack say, met them.
 */
export function readoutsOf(state: Pick<RunState, 'flow'>): ReadonlyMap<string, Pick<Fitted, 'weights' | 'about'>> {
  const owner = weightOwner(state) as { readonly position: number } | undefined;
  const fitted = Object.entries(state.flow.nodes).flatMap(([name, { state }]) => {
    const { phase, position, weights, about = {} } = (state ?? {}) as Partial<Fitted>;
    return phase === 'fitted' && position === owner?.position && weights !== undefined
      ? [[name, { weights, about }] as const]
      : [];
  });
  return new Map(fitted);
}

/** SHA-256 of the weights that a snapshot holds, by name. */
export const weightsDigest = (state: Pick<RunState, 'flow'>): string =>
  hashWeights(Object.fromEntries(weightsOf(state).map(({ name, values }) => [name, values])));
/** What no tensor of them says; nothing in snapshots of earlier versions. */
export const aboutOf = (state: Pick<RunState, 'flow'>): NetworkMetadata =>
  (weightOwner(state) as { readonly about?: NetworkMetadata } | undefined)?.about ?? {};

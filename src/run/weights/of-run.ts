import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WeirError } from '../../core/errors.js';
import type { AboutNetwork } from '../../learn/about.js';
import { together } from '../../learn/ensemble/ensemble.js';
import type { SavedTensors } from '../../learn/saved.js';
import type { RunFolder } from '../folder.js';
import { checkOrigin } from '../identity/run-identity.js';
import { readState, trainedSnapshot } from '../run-state.js';
import { aboutOf, weightsOf } from './of-snapshot.js';

export interface Choice {
  /** Which of the run's networks; by default its only one. */
  readonly network?: string | undefined;
  /** Only weights of a network that is trained to the end, else the newest there are. */
  readonly finished?: boolean;
  /** Is told of snapshots that are passed over because they are not whole. */
  readonly warn?: (message: string) => void;
}

export interface RunWeights {
  readonly network: string;
  /** Updates that they have behind them. */
  readonly update: number;
  readonly weights: SavedTensors;
  /** What no tensor says. */
  readonly about: AboutNetwork;
}

/**
 * The newest weights of a run's network, from its snapshots; the pipeline's module is not needed.
 *
 * @throws {WeirError} where several networks are there and none is named, none of that name, one without weights of its own, or, where
 * that was asked for, one that is not trained to the end
 */
export function weightsOfRun(
  folder: RunFolder,
  { network, finished = false, warn = () => undefined }: Choice,
): RunWeights {
  const names = namesOf(folder);
  const name = network ?? (names.length === 1 ? names[0]! : undefined);
  if (names.length === 0) {
    throw new WeirError(`the run in ${folder.shown} has no snapshot yet`, 'wait for its first, or resume it');
  }
  if (name === undefined || !names.includes(name)) {
    throw new WeirError(
      name === undefined
        ? `the run in ${folder.shown} has several networks`
        : `the run in ${folder.shown} has no network '${name}'`,
      `name one, by --network or { network: … }: ${names.join(', ')}`,
    );
  }
  const found = finished ? trainedSnapshot(folder, name) : readState(folder.snapshots(name), warn);
  if (found !== undefined) checkOrigin(folder, name, found);
  const state = found?.state;
  const weights = state === undefined ? [] : weightsOf(state);
  if (state === undefined || weights.length === 0 || weights.some((weight) => weight.name === together)) {
    throw new WeirError(
      `network '${name}' of ${folder.shown} has no weights of its own`,
      'name one that is trained by `train` and has a snapshot',
    );
  }
  return { network: name, update: state.update, weights, about: aboutOf(state) };
}

/** The networks of a run as its config lists them; where it does not, those that have snapshots. */
export function namesOf({ started, path }: RunFolder): readonly string[] {
  if (started.networks !== undefined) return started.networks.map(({ name }) => name);
  const snapshots = join(path, 'snapshots');
  return existsSync(snapshots) ? readdirSync(snapshots) : [];
}

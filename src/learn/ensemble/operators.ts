import type { OperatorFunction } from 'rxjs';
import { serial } from '../../core/serial.js';
import { lifted } from '../../core/stage.js';
import type { WithTurn } from '../../core/turn.js';
import type { Batch } from '../train.js';
import type { Ensemble } from './ensemble.js';
import * as members from './members.js';
import { ensembleTick as ensembleTickStage } from './tick.js';
import { type EnsembleTraining, ensembleStage } from './train.js';
import type { EnsembleUpdate } from './update.js';

/**
 * Trains all members of an ensemble on each batch; as `train` does it for one network.
 *
 * @example batches$.pipe(trainEnsemble(networks, { sgd: { rate: 1, momentum: 0.9 }, penalty }))
 */
export const trainEnsemble = (
  ensemble: Ensemble,
  training: EnsembleTraining,
): OperatorFunction<Batch, EnsembleUpdate & WithTurn> => serial(ensembleStage(ensemble, training));

/** `ensembleTick` of `tick.ts` as an operator. */
export const ensembleTick = lifted(ensembleTickStage);

/** The stages of `members.ts` as operators. */
export const memberUpdates = lifted(members.memberUpdates);
export const memberNorms = lifted(members.memberNorms);
export const memberTicks = lifted(members.memberTicks);

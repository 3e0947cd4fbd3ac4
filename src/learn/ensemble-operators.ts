import type { OperatorFunction } from 'rxjs';
import { serial } from '../flow/core-serial.js';
import { lifted } from '../flow/core-stage.js';
import type { WithTurn } from '../flow/lease.js';
import type { Ensemble } from './ensemble/ensemble-ensemble.js';
import * as members from './ensemble/ensemble-members.js';
import { ensembleTick as ensembleTickStage } from './ensemble/tick.js';
import { type EnsembleTraining, ensembleStage } from './ensemble/train.js';
import type { EnsembleUpdate } from './ensemble/update.js';
import type { Batch } from './train.js';

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

import type { OperatorFunction } from 'rxjs';
import type { WithLease } from '../flow/lease.js';
import { serial } from '../flow/serial.js';
import { lifted, stage } from '../flow/stage.js';
import type { Ensemble, EnsembleUpdate } from './ensemble/ensemble.js';
import * as members from './ensemble/members.js';
import { ensembleTick as ensembleTickStage } from './ensemble/regularizer.js';
import { type EnsembleTraining, ensembleStage } from './ensemble/train.js';
import type { Model } from './model/model.js';
import { isSpectral } from './regularizer/registry.js';
import type { Regularizer } from './regularizer/regularizer.js';
import { layerNorms as layerNormsStage } from './spectral/layer-norms.js';
import type { Spectrum } from './spectral/power.js';
import { spectralTick as spectralTickStage, tickRecord } from './spectral/tick.js';
import { type Batch, type Training, trainStage } from './train.js';
import type { Update } from './update.js';

/**
 * Trains on each batch, and emits the update: one training, many listeners; the next update waits for those that claimed
 * these weights. The first thing emitted is update 0, the initial weights.
 *
 * @example batches$.pipe(train(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.1 }), regularizer, seed }))
 */
export const train = (model: Model, training: Training): OperatorFunction<Batch, Update & WithLease> =>
  serial(trainStage(model, training));

/**
 * `spectralTick` of `spectral/tick.ts` as an operator. For a regularizer that has no directions to refresh it is asleep: a stage
 * all the same, so that networks of any regularizer are one graph, and can branch from one snapshot.
 */
export const spectralTick = (regularizer: Regularizer) =>
  stage<Update, Ticked, Spectrum | null>(
    isSpectral(regularizer)
      ? spectralTickStage(regularizer)
      : {
          name: 'spectral tick',
          record: tickRecord,
          start: () => null,
          next: () => [null],
          save: () => null,
          load: () => null,
        },
  );

type Ticked = Update & { readonly spectrum: Spectrum };

/** `layerNorms` of `spectral/layer-norms.ts` as an operator. */
export const layerNorms = lifted(layerNormsStage);

/**
 * Trains all members of an ensemble on each batch; as `train` does it for one network.
 *
 * @example batches$.pipe(trainEnsemble(networks, { sgd: { rate: 1, momentum: 0.9 }, regularizer }))
 */
export const trainEnsemble = (
  ensemble: Ensemble,
  training: EnsembleTraining,
): OperatorFunction<Batch, EnsembleUpdate & WithLease> => serial(ensembleStage(ensemble, training));

/** `ensembleTick` of `tick.ts` as an operator. */
export const ensembleTick = lifted(ensembleTickStage);

/** The stages of `members.ts` as operators. */
export const memberUpdates = lifted(members.memberUpdates);
export const memberNorms = lifted(members.memberNorms);
export const memberTicks = lifted(members.memberTicks);

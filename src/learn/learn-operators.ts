import type { OperatorFunction } from 'rxjs';
import { serial } from '../flow/core-serial.js';
import { lifted, stage } from '../flow/core-stage.js';
import type { WithTurn } from '../flow/lease.js';
import type { Update } from './learn-update.js';
import type { Model } from './model/model-model.js';
import { isSpectral } from './regularizer/registry.js';
import type { Regularizer } from './regularizer/regularizer-regularizer.js';
import { layerNorms as layerNormsStage } from './spectral/layer-norms.js';
import type { Spectrum } from './spectral/spectrum.js';
import { spectralTick as spectralTickStage } from './spectral/tick.js';
import { type Batch, type Training, trainStage } from './train.js';

/**
 * Trains on each batch, and emits the update: one training, many listeners; the next update waits for those that claimed
 * these weights. The first thing emitted is update 0, the initial weights.
 *
 * @example batches$.pipe(train(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.1 }), penalty, seed }))
 */
export const train = (model: Model, training: Training): OperatorFunction<Batch, Update & WithTurn> =>
  serial(trainStage(model, training));

/**
 * `spectralTick` of `spectral/tick.ts` as an operator. For a regularizer that has no directions to refresh it is asleep: a stage
 * all the same, so that networks of any regularizer are one graph, and can branch from one snapshot.
 */
export const spectralTick = (penalty: Regularizer) =>
  stage<Update, Ticked, Spectrum | null>(
    isSpectral(penalty)
      ? spectralTickStage(penalty)
      : { name: 'spectral tick', start: () => null, next: () => [null], save: () => null, load: () => null },
  );

type Ticked = Update & { readonly spectrum: Spectrum };

/** `layerNorms` of `spectral/layer-norms.ts` as an operator. */
export const layerNorms = lifted(layerNormsStage);

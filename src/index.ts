/// <reference types="node" preserve="true" />

/**
 * What a pipeline imports, in the order of the flow.
 *
 * @module
 */

// From a data set to batches.
export { type DatasetOptions, dataset, type Nested } from './data/arrays.js';
export { augment, views } from './data/augment/augment.js';
export { compileRecipe, type Rendering, type SampleKey } from './data/augment/compiler.js';
export * from './data/augment/ops/index.js';
export { defineOp, type OwnOp, type OwnOpBuilder } from './data/augment/own-op.js';
export type { Recipe } from './data/augment/recipes.js';
export {
  barlowRecipes,
  cifar10Statistics,
  fineTuneRecipe,
  fineTuneTestRecipe,
  imagenetRecipe,
  imagenetStatistics,
  imagenetTestRecipe,
  simclrRecipes,
} from './data/augment/recipes.js';
export { decoded, rendered } from './data/augment/rendered-dataset.js';
export type { Samples } from './data/batch.js';
export { batch } from './data/batch.js';
export {
  type AnyDataset,
  alignedTo,
  type Box,
  type Dataset,
  type ImageDataset,
  labeled,
} from './data/dataset.js';
export { cifar10, cifar10File, cifar10Task } from './data/datasets/cifar10.js';
export { type CsvOptions, csv } from './data/datasets/csv.js';
export { type FolderReport, imageFolder, reportLines } from './data/datasets/image-folder/image-folder.js';
export { mnist } from './data/datasets/mnist.js';
export { type NpyOptions, npy } from './data/datasets/npy.js';
export { parquet } from './data/datasets/parquet.js';
export { simplex, xor, xorOfEach } from './data/datasets/synthetic.js';
export type { TableOptions } from './data/datasets/table.js';
export type { Image } from './data/images/image.js';
export { loader } from './data/loader.js';
export { packed, packImages } from './data/pack.js';
export { replay } from './data/replay.js';
export { type SplitOptions, split } from './data/split.js';
export { standardized } from './data/standardized.js';
// The graph: stages, sources, forks and joins, moments.
export type { Data, Positioned } from './flow/data.js';
export { WeirError } from './flow/errors.js';
export { fanOut, mergeInTurn } from './flow/fork-and-join.js';
export { filter, named, recorded } from './flow/operators.js';
export { ordered } from './flow/ordered.js';
export { at, atEnd, every, from } from './flow/schedule.js';
export { serial } from './flow/serial.js';
export { source } from './flow/source.js';
export { type Stage, type Step, stage } from './flow/stage.js';
// Watching, and the pipeline itself.
export { tap } from './flow/tap.js';
export { ensemble } from './learn/ensemble/ensemble.js';
export { memberNorms, memberTicks, memberUpdates } from './learn/ensemble/members.js';
export { ensembleRegularizer, ensembleTick } from './learn/ensemble/regularizer.js';
export { trainEnsemble } from './learn/ensemble/train.js';
export { loss } from './learn/loss/automatic-loss.js';
export { crossEntropy } from './learn/loss/cross-entropy.js';
export type { Loss, LossValue, ScalarLoss, ViewsLoss, ViewsLossValue } from './learn/loss/loss.js';
export { barlowTwins, ntXent } from './learn/loss/views.js';
export { projected } from './learn/model/head.js';
export type { LayerRun, ModelLayer, PlannedLayer, WeightPlan } from './learn/model/layer.js';
export { type LayeredOptions, model } from './learn/model/layered.js';
export * as layers from './learn/model/layers.js';
export { linear } from './learn/model/linear.js';
export { mlp } from './learn/model/mlp.js';
export { type Gradients, type Model, normal, uniform, type Weights } from './learn/model/model.js';
export { resnet } from './learn/model/resnet/resnet.js';
export { type AdamOptions, adam, adamw } from './learn/optimizer/adam.js';
export { averaged, clipByNorm, ema } from './learn/optimizer/composed.js';
export { type LarsOptions, lars } from './learn/optimizer/lars.js';
export { type MuonOptions, muon } from './learn/optimizer/muon.js';
export {
  type Moved,
  type Optimizer,
  optimizer,
  type Stepped,
  type WeightRule,
  type WeightStep,
} from './learn/optimizer/optimizer.js';
export type { OwnRate } from './learn/optimizer/rates.js';
export {
  constant,
  cosine,
  type Schedule,
  scheduled,
  step,
  type UpdateIndex,
  warmUp,
} from './learn/optimizer/schedule.js';
export { type SgdOptions, sgd } from './learn/optimizer/sgd.js';
export { regularizer, regularizerKinds } from './learn/regularizer/registry.js';
export {
  addGradient,
  type Regularizer,
  type RegularizerInput,
  type Strength,
} from './learn/regularizer/regularizer.js';
export { isSpectral, spectralKinds, spectralRegularizer } from './learn/regularizer/spectral.js';
export { layerNorms, spectralTick } from './learn/spectral/stages.js';
export { train } from './learn/train.js';
export type { Update } from './learn/update.js';
export { startingFrom } from './learn/weights/pretrained.js';
// Measuring.
export { accuracy, memberAccuracy } from './measure/accuracy/accuracy.js';
export { alignment } from './measure/alignment/alignment.js';
export { deepFool } from './measure/attack/deepfool.js';
export { tangentAttack } from './measure/attack/tangent-attack.js';
export { certificate } from './measure/certificate/certificate.js';
export { exactDistances } from './measure/geometry/exact-distances.js';
export { geometryGrid, geometryPlane } from './measure/geometry/geometry.js';
// Training.
export type { Normalization } from './measure/inputs.js';
export { eachMember } from './measure/member.js';
export type { Reference } from './measure/networks/record.js';
export { onlineReadout } from './measure/readout/online-readout.js';
export { readout } from './measure/readout/readout.js';
export { tracking } from './measure/tracking/tracking.js';
export {
  type Best,
  type EarlyStop,
  type KeepBestOptions,
  keepBest,
  type Measured,
  type StopEarlyOptions,
  stopEarly,
} from './run/best.js';
export { type Change, type Clash, changeable, divides, endsWith, folder, type Rule } from './run/config.js';
export {
  attackKeys,
  cifar10Keys,
  convolutionKeys,
  directionsOf,
  readoutKeys,
  regularizerKeys,
  trainingKeys,
} from './run/config-keys.js';
export { eachRegularizer, eachTransfer, pretrainedModel, transferKeys } from './run/networks.js';
export { type PipelineFigure, pipeline } from './run/pipeline.js';
export { networksOf, trainedBy } from './run/trained-network.js';
export { fromRun } from './run/weights.js';
// What a measurement logs, declared once.
export { array, category, key, quantities, quantity, record, z } from './storage/record.js';
export { tf } from './tensorflow/tf.js';

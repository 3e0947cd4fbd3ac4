/**
 * What a pipeline imports, in the order of the flow.
 *
 * @module
 */

export { augment } from './data/augment/augment-augment.js';
export { barlowRecipes } from './data/augment/barlow.js';
export { compileRecipe, type Rendering, type SampleKey } from './data/augment/compiler.js';
export { decoded } from './data/augment/decoded.js';
export { fineTuneRecipe, fineTuneTestRecipe } from './data/augment/fine-tune.js';
export { imagenetRecipe, imagenetTestRecipe } from './data/augment/imagenet.js';
export { centerCrop } from './data/augment/ops/center-crop.js';
export { colorJitter } from './data/augment/ops/color-jitter.js';
export { gaussianNoise } from './data/augment/ops/gaussian-noise.js';
export { lighting } from './data/augment/ops/lighting.js';
export { gaussianBlur } from './data/augment/ops/op-gaussian-blur.js';
export { horizontalFlip } from './data/augment/ops/op-horizontal-flip.js';
export { normalize } from './data/augment/ops/op-normalize.js';
export { resize } from './data/augment/ops/op-resize.js';
export { solarize } from './data/augment/ops/op-solarize.js';
export { randomCrop } from './data/augment/ops/random-crop.js';
export { randomGrayscale } from './data/augment/ops/random-grayscale.js';
export { randomResizedCrop } from './data/augment/ops/random-resized-crop.js';
export { unitScale } from './data/augment/ops/unit-scale.js';
export type { Recipe } from './data/augment/recipe.js';
export { rendered } from './data/augment/rendered.js';
export { simclrRecipes } from './data/augment/simclr.js';
export { cifar10Statistics, imagenetStatistics } from './data/augment/statistics.js';
export { views } from './data/augment/views.js';
export type { Samples } from './data/batch.js';
// From a data set to batches.
export { batch } from './data/batch.js';
export { cifar10, cifar10File, cifar10Task } from './data/datasets/cifar10.js';
export { imageFolder } from './data/datasets/image-folder/image-folder-image-folder.js';
export { type FolderReport, reportLines } from './data/datasets/image-folder/report.js';
export { simplex } from './data/datasets/simplex.js';
export { mnist } from './data/datasets/source-mnist.js';
export { xor, xorOfEach } from './data/datasets/xor.js';
export { loader } from './data/draw.js';
export {
  type AnyDataset,
  alignedTo,
  type Dataset,
  type DatasetOptions,
  dataset,
  type ImageDataset,
  labeled,
} from './data/feed-dataset.js';
export type { Image } from './data/images/augment-image.js';
export { packImages } from './data/pack-images.js';
export { packed } from './data/packed.js';
export { replay } from './data/replay.js';
export { serial } from './flow/core-serial.js';
export { filter, type Stage, type Step, stage } from './flow/core-stage.js';
// The graph: stages, sources, forks and joins, moments.
export { fanOut } from './flow/fan-out.js';
export { mergeInTurn } from './flow/merge.js';
export { named } from './flow/named.js';
export { ordered } from './flow/ordered.js';
export { at, atEnd, every, from } from './flow/schedule.js';
export { source } from './flow/source.js';
// Watching, and the pipeline itself.
export { tap } from './flow/tap.js';
export { ensemble } from './learn/ensemble/ensemble-ensemble.js';
export { ensembleRegularizer } from './learn/ensemble/penalty.js';
export { ensembleTick, memberNorms, memberTicks, memberUpdates, trainEnsemble } from './learn/ensemble-operators.js';
export { layerNorms, spectralTick, train } from './learn/learn-operators.js';
export type { Update } from './learn/learn-update.js';
export { barlowTwins } from './learn/loss/barlow-twins.js';
export { crossEntropy } from './learn/loss/cross-entropy.js';
export { ntXent } from './learn/loss/nt-xent.js';
// Training.
export { normal, uniform } from './learn/model/initialization.js';
export { linear } from './learn/model/linear.js';
export { mlp } from './learn/model/model-mlp.js';
export { projected } from './learn/model/projected.js';
export { resnet } from './learn/model/resnet/resnet.js';
export { constant, cosine, step } from './learn/optimizer/schedule.js';
export { sgd } from './learn/optimizer/sgd.js';
export { spectralKinds, spectralRegularizer } from './learn/regularizer/penalty.js';
export { isSpectral, regularizer, regularizerKinds } from './learn/regularizer/registry.js';
export { startingFrom } from './learn/weights/starting-from.js';
// Measuring.
export {
  accuracy,
  alignment,
  certificate,
  eachMember,
  exactDistances,
  geometryGrid,
  geometryPlane,
  memberAccuracy,
  onlineReadout,
  readout,
  tangentAttack,
  tracking,
} from './measure/operators.js';
export * as stages from './measure/stages.js';
export {
  attackKeys,
  cifar10Keys,
  convolutionKeys,
  directionsOf,
  readoutKeys,
  regularizerKeys,
  trainingKeys,
} from './run/config-keys.js';
export { fromRun } from './run/from-run.js';
export { eachRegularizer } from './run/networks.js';
export { folder, z } from './run/run-config.js';
export { pipeline } from './run/run-pipeline.js';
export { type Clash, divides, endsWith, type Rule } from './run/settings.js';
export { networksOf, trainedBy } from './run/trained-by.js';
export { eachTransfer, pretrainedModel, transferKeys } from './run/transfer.js';

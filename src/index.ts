/**
 * What a pipeline imports, in the order of the flow.
 *
 * @module
 */

// The graph: stages, sources, forks and joins, moments.
export { fanOut } from './core/fan-out.js';
export { mergeInTurn } from './core/merge.js';
export { named } from './core/named.js';
export { serial } from './core/serial.js';
export { source } from './core/source.js';
export { filter, type Stage, type Step, stage } from './core/stage.js';
export { at, atEnd, every, from } from './core/tick.js';
export { augment } from './feed/augment/augment.js';
export { compileRecipe, type Rendering, type SampleKey } from './feed/augment/compile.js';
export { decoded } from './feed/augment/decoded.js';
export type { Image } from './feed/augment/image.js';
export { centerCrop } from './feed/augment/op/center-crop.js';
export { colorJitter } from './feed/augment/op/color-jitter.js';
export { gaussianBlur } from './feed/augment/op/gaussian-blur.js';
export { gaussianNoise } from './feed/augment/op/gaussian-noise.js';
export { horizontalFlip } from './feed/augment/op/horizontal-flip.js';
export { lighting } from './feed/augment/op/lighting.js';
export { normalize } from './feed/augment/op/normalize.js';
export { randomCrop } from './feed/augment/op/random-crop.js';
export { randomGrayscale } from './feed/augment/op/random-grayscale.js';
export { randomResizedCrop } from './feed/augment/op/random-resized-crop.js';
export { resize } from './feed/augment/op/resize.js';
export { solarize } from './feed/augment/op/solarize.js';
export { unitScale } from './feed/augment/op/unit-scale.js';
export type { Recipe } from './feed/augment/recipe.js';
export { barlowRecipes } from './feed/augment/recipes/barlow.js';
export { fineTuneRecipe, fineTuneTestRecipe } from './feed/augment/recipes/fine-tune.js';
export { imagenetRecipe, imagenetTestRecipe } from './feed/augment/recipes/imagenet.js';
export { simclrRecipes } from './feed/augment/recipes/simclr.js';
export { cifar10Statistics, imagenetStatistics } from './feed/augment/recipes/statistics.js';
export { rendered } from './feed/augment/rendered.js';
export { views } from './feed/augment/views.js';
export type { Samples } from './feed/batch.js';
// From a data set to batches.
export { batch } from './feed/batch.js';
export {
  type AnyDataset,
  alignedTo,
  type Dataset,
  type DatasetOptions,
  dataset,
  type ImageDataset,
  labeled,
} from './feed/dataset.js';
export { loader } from './feed/draw.js';
export { ordered } from './feed/ordered.js';
export { packImages } from './feed/pack/pack-images.js';
export { packed } from './feed/pack/packed.js';
export { cifar10, cifar10File, cifar10Task } from './feed/source/cifar10.js';
export { imageFolder } from './feed/source/image-folder/image-folder.js';
export { type FolderReport, reportLines } from './feed/source/image-folder/report.js';
export { mnist } from './feed/source/mnist.js';
export { replay } from './feed/source/replay.js';
export { simplex } from './feed/source/simplex.js';
export { xor, xorOfEach } from './feed/source/xor.js';
export { ensemble } from './learn/ensemble/ensemble.js';
export { ensembleTick, memberNorms, memberTicks, memberUpdates, trainEnsemble } from './learn/ensemble/operators.js';
export { ensembleRegularizer } from './learn/ensemble/penalty.js';
export { barlowTwins } from './learn/loss/barlow-twins.js';
export { crossEntropy } from './learn/loss/cross-entropy.js';
export { ntXent } from './learn/loss/nt-xent.js';
// Training.
export { normal, uniform } from './learn/model/initialization.js';
export { linear } from './learn/model/linear.js';
export { mlp } from './learn/model/mlp.js';
export { projected } from './learn/model/projected.js';
export { resnet } from './learn/model/resnet.js';
export { layerNorms, spectralTick, train } from './learn/operators.js';
export { constant, cosine, step } from './learn/optimizer/schedule.js';
export { sgd } from './learn/optimizer/sgd.js';
export { isSpectral, regularizer, regularizerKinds } from './learn/regularizer/named.js';
export { spectralKinds, spectralRegularizer } from './learn/spectral/penalty.js';
export type { Update } from './learn/update.js';

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

// Watching, and the pipeline itself.
export { tap } from './observe/tap.js';
export { folder, z } from './run/config.js';
export {
  attackKeys,
  cifar10Keys,
  convolutionKeys,
  directionsOf,
  readoutKeys,
  regularizerKeys,
  trainingKeys,
} from './run/keys.js';
export { eachRegularizer } from './run/networks.js';
export { pipeline } from './run/pipeline.js';
export { type Clash, divides, endsWith, type Rule } from './run/settings.js';
export { networksOf, trainedBy } from './run/trained-by.js';
export { eachTransfer, pretrainedModel, transferKeys } from './run/transfer.js';
export { fromRun } from './run/weights/from-run.js';

export { startingFrom } from './run/weights/starting-from.js';

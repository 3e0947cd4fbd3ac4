/// <reference types="node" preserve="true" />

/**
 * What a pipeline imports, in the order of the flow.
 *
 * @module
 */

// From a data set to batches.
export * from './augment.js';
export { type DatasetOptions, dataset, type Nested } from './data/arrays.js';
export { type BatchOptions, batch, type Samples } from './data/batch.js';
export {
  type AnyDataset,
  alignedTo,
  type Box,
  type Dataset,
  type ImageDataset,
  labeled,
} from './data/dataset.js';
export { type Cifar10Options, cifar10, cifar10File, cifar10Task } from './data/datasets/cifar10.js';
export { type CsvOptions, csv } from './data/datasets/csv.js';
export {
  type FolderReport,
  type ImageFolder,
  type ImageFolderOptions,
  imageFolder,
  reportLines,
} from './data/datasets/image-folder/image-folder.js';
export { type MnistOptions, mnist } from './data/datasets/mnist.js';
export { type NpyOptions, npy } from './data/datasets/npy.js';
export { parquet } from './data/datasets/parquet.js';
export { type SimplexOptions, simplex, type XorOptions, xor, xorOfEach } from './data/datasets/synthetic.js';
export type { TableOptions } from './data/datasets/table.js';
export { type Block, type LoaderOptions, loader } from './data/loader.js';
export { type PackOptions, packed, packImages } from './data/pack.js';
export { type ReplayOptions, replay } from './data/replay.js';
export type { Labels } from './data/sample-check.js';
export { type SplitOptions, split } from './data/split.js';
export { standardized } from './data/standardized.js';
// The graph: stages, sources, forks and joins, moments.
export type { Data, Positioned, TypedArray } from './flow/data.js';
export { WeirError } from './flow/errors.js';
export { fanOut, mergeInTurn } from './flow/fork-and-join.js';
export type { ClassNames, Declaration, Header, Input, Introduce, NormalizedBy } from './flow/header.js';
export type { WithLease } from './flow/lease.js';
export type { Declared } from './flow/node.js';
export { filter, named, recorded } from './flow/operators.js';
export { ordered } from './flow/ordered.js';
export { at, atEnd, type Cadence, every, from } from './flow/schedule.js';
export { serial } from './flow/serial.js';
export { source } from './flow/source.js';
export { type Stage, type StageOperator, type Step, stage } from './flow/stage.js';
// Watching, and the pipeline itself.
export { type TapPolicy, tap } from './flow/tap.js';
export {
  type Adversary,
  type Perturb,
  type PerturbedBatch,
  type ProjectedGradientOptions,
  projectedGradient,
} from './learn/adversary.js';
export { type Ensemble, type EnsembleMember, type EnsembleUpdate, ensemble } from './learn/ensemble/ensemble.js';
export { memberNorms, memberTicks, memberUpdates, type OfMember } from './learn/ensemble/members.js';
export {
  type EnsembleRegularizer,
  type EnsembleRegularizerOptions,
  ensembleRegularizer,
  ensembleTick,
  type TickedEnsemble,
} from './learn/ensemble/regularizer.js';
export { type EnsembleTraining, trainEnsemble } from './learn/ensemble/train.js';
export { loss } from './learn/loss/automatic-loss.js';
export { type CrossEntropyOptions, crossEntropy } from './learn/loss/cross-entropy.js';
export type { Loss, LossValue, ScalarLoss, ViewsLoss, ViewsLossValue } from './learn/loss/loss.js';
export { type BarlowTwinsOptions, barlowTwins, type NtXentOptions, ntXent } from './learn/loss/views.js';
export { type ProjectedOptions, projected } from './learn/model/head.js';
export type { LayerRun, ModelLayer, NamedLayer, PlannedLayer, WeightPlan } from './learn/model/layer.js';
export { type LayeredOptions, model } from './learn/model/layered.js';
export * as layers from './learn/model/layers.js';
export { type LinearOptions, linear } from './learn/model/linear.js';
export { type MlpOptions, mlp } from './learn/model/mlp.js';
export {
  type Architecture,
  type ConvLayer,
  type DenseFirst,
  type DenseLayer,
  type FeatureJacobian,
  type FeaturePull,
  type FeaturePullback,
  type Gradients,
  type Initialization,
  type Layer,
  type Linearization,
  type Model,
  normal,
  type Padding,
  type Part,
  type Pullback,
  uniform,
  type Weights,
} from './learn/model/model.js';
export type {
  ConvOperation,
  DenseOperation,
  NormalizeOperation,
  Operation,
  Operations,
  PoolOperation,
  SubsampleOperation,
  SumOperation,
} from './learn/model/operations.js';
export { type ResnetOptions, resnet } from './learn/model/resnet/resnet.js';
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
export { defineRegularizer, type OwnRegularizer } from './learn/regularizer/automatic-regularizer.js';
export {
  type RegularizerKind,
  type RegularizerOptions,
  regularizer,
  regularizerKinds,
} from './learn/regularizer/registry.js';
export {
  addGradient,
  type Regularizer,
  type RegularizerInput,
  type Strength,
  since,
} from './learn/regularizer/regularizer.js';
export {
  isSpectral,
  type SpectralKind,
  type SpectralOptions,
  type SpectralRegularizer,
  spectralKinds,
  spectralRegularizer,
} from './learn/regularizer/spectral.js';
export type { Spectrum } from './learn/spectral/power.js';
export { type LayerNorms, layerNorms, spectralTick } from './learn/spectral/stages.js';
export { type Batch, type Training, train } from './learn/train.js';
export type { Update } from './learn/update.js';
export { type StartingOptions, startingFrom, type WeightSource } from './learn/weights/pretrained.js';
// Measuring.
export { type Accuracy, type AccuracyOptions, accuracy, memberAccuracy } from './measure/accuracy/accuracy.js';
export { type Alignment, alignment } from './measure/alignment/alignment.js';
export { type ApgdOptions, apgd } from './measure/attack/apgd.js';
export type { AttackOptions } from './measure/attack/attack.js';
export { type CgbaOptions, cgba } from './measure/attack/cgba.js';
export {
  type BlackBoxOptions,
  blackBoxAttacks,
  type WhiteBoxOptions,
  whiteBoxAttacks,
} from './measure/attack/configured-attacks.js';
export { type DdnOptions, ddn } from './measure/attack/ddn.js';
export { type DeepFoolOptions, deepFool } from './measure/attack/deepfool.js';
export { type FmnOptions, fmn } from './measure/attack/fmn.js';
export { type HopSkipJumpOptions, hopSkipJump } from './measure/attack/hop-skip-jump.js';
export type { AttackKind, AttackResult, KeptImages } from './measure/attack/record.js';
export { type TangentAttackOptions, tangentAttack } from './measure/attack/tangent-attack.js';
export { type CertificateOptions, certificate } from './measure/certificate/certificate.js';
export type { Certificate } from './measure/certificate/record.js';
export { type ExactDistancesOptions, exactDistances } from './measure/geometry/exact-distances.js';
export {
  type GeometryGridOptions,
  type GeometryPlaneOptions,
  geometryGrid,
  geometryPlane,
} from './measure/geometry/geometry.js';
export type { ExactDistance, Geometry } from './measure/geometry/record.js';
export { type Sensitivity, type SensitivityOptions, sensitivity } from './measure/geometry/sensitivity.js';
export type { LabeledSamples, Normalization } from './measure/inputs.js';
export { eachMember } from './measure/member.js';
export type { Reference } from './measure/networks/record.js';
export { type OnlineReadoutOptions, onlineReadout } from './measure/readout/online-readout.js';
export { type ReadoutOptions, type Refitted, readout } from './measure/readout/readout.js';
export type { OnlineReadout } from './measure/readout/record.js';
export { type Track, type TrackingOptions, tracking } from './measure/tracking/tracking.js';
export type { FigureRequest } from './plot/figure.js';
export type { FigureName } from './report/figures.js';
export {
  type Best,
  type EarlyStop,
  type KeepBestOptions,
  keepBest,
  type Measured,
  type StopEarlyOptions,
  stopEarly,
} from './run/best.js';
export { type Change, changeable, folder, ofRegularizer } from './run/config.js';
export {
  adversaryKeys,
  attackKeys,
  blackBoxKeys,
  cifar10Keys,
  convolutionKeys,
  directionsOf,
  evaluationKeys,
  evaluationOf,
  gammaOf,
  readoutKeys,
  regularizerKeys,
  trainingKeys,
  whiteBoxKeys,
} from './run/config-keys.js';
export { type Clash, divides, endsWith, type Resolved, type Rule } from './run/config-rules.js';
export { eachRegularizer, eachTransfer, pretrainedModel, transferKeys } from './run/networks.js';
export { type Network, type Pipeline, type PipelineFigure, pipeline } from './run/pipeline.js';
export { type ResumeOptions, type Run, type RunOptions, type RunSettings, resume, run } from './run/run.js';
export { networksOf, trainedBy } from './run/trained-network.js';
export { fromRun, type WeightsChoice, type WeightsPick } from './run/weights.js';
// What a measurement logs, declared once.
export {
  array,
  category,
  type FieldOptions,
  key,
  quantities,
  quantity,
  type RecordDescription,
  type RecordSchema,
  type Role,
  record,
  z,
} from './storage/record.js';
// Claims that are judged by many runs.
export {
  type Analysis,
  type Claim,
  type Experiment,
  type Side,
  type Study,
  type StudyDefinition,
  study,
} from './study/study.js';
export { tf } from './tensorflow/tf.js';
// The types inside of all these.
export type * from './types.js';

/**
 * The types inside of signatures that `weir-engine` exports, for code that has to name them: a function of your own that returns a stage, a
 * field that keeps a stage's state, a library with declarations. `weir-engine` exports them all.
 *
 * @module
 */

// Data, recipes and loading.
export type { DataDescription } from './data/arrays.js';
export type { Labeled } from './data/dataset.js';
export type { Links } from './data/datasets/image-folder/layouts.js';
export type { FileImages, Images, PackedImages } from './data/images/reader.js';
export type { Share } from './data/loader.js';
export type { SplitParts } from './data/split.js';
// The engine.
export type { Outcome } from './flow/flow.js';
export type { Merged } from './flow/fork-and-join.js';
export type { Batches, Fingerprint, FingerprintValue, InputSamples, TrainingLength } from './flow/header.js';
export type { Lease, Work } from './flow/lease.js';
export type { Counted, Since } from './flow/schedule.js';
export type { Serial } from './flow/serial.js';
export type { Source } from './flow/source.js';
export type { TapReader } from './flow/tap.js';
// Learning.
export type { ExpectedBatches } from './learn/batches.js';
export type { EnsembleLayout, PlacedLayer } from './learn/ensemble/ensemble.js';
export type { MemberSigma, MemberUpdate } from './learn/ensemble/members.js';
export type { EnsembleDirections } from './learn/ensemble/regularizer.js';
export type { NetworkMetadata } from './learn/metadata.js';
export type { ActivationName } from './learn/model/activation.js';
export type { BoundedPart, ByNorm, Norm, SumPart } from './learn/model/model.js';
export type { ResnetInitialization } from './learn/model/resnet/plan.js';
export type { ShrinkageOptions } from './learn/regularizer/batch-spectral-shrinkage.js';
export type { FeatureJacobianOptions } from './learn/regularizer/feature-jacobian.js';
export type { L2SpOptions } from './learn/regularizer/l2-sp.js';
export type { TickedKind } from './learn/regularizer/spectral.js';
export type { UnitSpectralOptions } from './learn/regularizer/unit-spectral.js';
export type { Directions, Formulation, PowerOptions, Singular } from './learn/spectral/power.js';
export type { LayerFrequencies, LayerNormsOptions, TickedUpdate } from './learn/spectral/stages.js';
export type { StoredWeights } from './learn/weights/pretrained.js';
export type { StoredTensor } from './learn/weights/safetensors.js';
export type { SavedTensors } from './learn/weights/saved-tensors.js';
// Measurements: their records, and the states of their stages.
export type { AccuracyState } from './measure/accuracy/accuracy.js';
export type { ApgdState } from './measure/attack/ascent.js';
export type {
  AttackedUpdate,
  AttackState,
  GroupAttacked,
  SamplesChosen,
} from './measure/attack/attack.js';
export type { WalkState } from './measure/attack/boundary-walk.js';
export type { BlackBoxAttack } from './measure/attack/configured-attacks.js';
export type { DeepFoolState } from './measure/attack/deepfool.js';
export type { GroupState } from './measure/attack/group.js';
export type { MinimumNormState } from './measure/attack/minimum-norm.js';
export type { NormalSums } from './measure/attack/normal.js';
export type { AttackCurve } from './measure/attack/query-curve.js';
export type { AttackOutcome, QueryCurve, StartKind } from './measure/attack/record.js';
export type { BoundsOptions } from './measure/attack/result-bounds.js';
export type { Protocol, StartCandidate, StartPoint, StartState } from './measure/attack/start.js';
export type { Sampling } from './measure/certificate/bounds.js';
export type { CertificateState, CertifierOptions, RelaxationMethod } from './measure/certificate/certificate.js';
export type { CertificateMethod, CertificateOutcome, SampleBounds } from './measure/certificate/record.js';
export type { Scan, ScanState } from './measure/geometry/exact-distances.js';
export type { ScanOutcome } from './measure/geometry/record.js';
export type { SurveyState } from './measure/geometry/survey.js';
export type { EachState } from './measure/member.js';
export type { ConfigValues, ReferenceRow } from './measure/networks/record.js';
export type { FitMethod } from './measure/readout/logistic.js';
export type { Minimum } from './measure/readout/minimize.js';
export type { OnlineReadoutState } from './measure/readout/online-readout.js';
export type { FitQuality, ReadoutState } from './measure/readout/readout.js';
export type { Fit, Interval, TestedFraction } from './measure/readout/record.js';
export type { TrackedSample } from './measure/tracking/tracking.js';
export type { Transfer } from './plot/style.js';
// Pipelines, configs and runs.
export type { Judging, KeepBestState, StopEarlyState } from './run/best.js';
export type { Config, ConfigShape, Profiles, SettingsOf, ShapeOf } from './run/config.js';
export type { AnyConfig } from './run/config-rules.js';
export type { NetworkGrid, PretrainedFiles, TransferNetwork } from './run/networks.js';
export type { LearningTask, PipelineDefinition, Reproduction, Streams, Wiring } from './run/pipeline.js';
export type { WeightsChoice } from './run/weights.js';
export type { LogMark } from './storage/metric-log.js';
export type { Metric, MetricRecord } from './storage/metric-reader.js';
export type { ModuleFiles } from './storage/module-files.js';
export type { Drawing, FieldDescription } from './storage/record.js';
export type { ConfigChange, PlannedNetwork, RunConfig, RunOrigin } from './storage/run-folder.js';
// Studies.
export type { StudyMeasure } from './study/measures.js';
export type { Cost, EquivalenceMargin, ExperimentScale, Pairwise, StudyData, Unjudged } from './study/study.js';
export type { Precision } from './tensorflow/ops/eager.js';
export type { TensorFlow } from './tensorflow/runtime.js';

/// <reference types="node" preserve="true" />

/**
 * What a user's own tests import, as `weir-engine/testing`: recordings replayed into a stage, and the tables of rules that Weir's own parts are
 * held to. A table is a list of `PartTest`, for any test runner.
 *
 * @example
 * import { regularizerTests } from 'weir-engine/testing';
 * import { test } from 'vitest';
 * import { orthogonal } from '../orthogonal.js';
 *
 * for (const { name, run } of regularizerTests({ make: orthogonal })) test(name, run);
 *
 * @module
 */

export { replay } from './data/replay.js';
export type { Data } from './flow/data.js';
export { WeirError } from './flow/errors.js';
export { type AttackTestOptions, attackTests } from './run/testing/attack-tests.js';
export { type ExpectReplayOptions, expectReplay, Mismatch } from './run/testing/expect-replay.js';
export { type LossTestOptions, lossTests } from './run/testing/loss-tests.js';
export { type ModelTestOptions, modelTests } from './run/testing/model-tests.js';
export { type OpTestOptions, opTests } from './run/testing/op-tests.js';
export { type OptimizerTestOptions, optimizerTests } from './run/testing/optimizer-tests.js';
export { type PartTest, updatesFor, updateWith } from './run/testing/part-test.js';
export { type RegularizerTestOptions, regularizerTests } from './run/testing/regularizer-tests.js';
export { type StageTestOptions, stageTests } from './run/testing/stage-tests.js';
export {
  type Recording,
  type RecordingFrame,
  type RecordingHeader,
  readRecording,
} from './storage/recording-reader.js';
export { RecordingWriter } from './storage/recording-writer.js';
export type { Rendezvous } from './tensorflow/collectives/rendezvous.js';
export type { SetUpListener, SetUpProgress } from './tensorflow/install/progress.js';
export type { LibraryKind } from './tensorflow/install/release.js';
export type { SetUp } from './tensorflow/install/setup.js';
/** For stages that compute with tensors: `beforeAll(() => loadTensorFlow())`. */
export { loadTensorFlow, type Runtime, type RuntimeChoice } from './tensorflow/tf.js';

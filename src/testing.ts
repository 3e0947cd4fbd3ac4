/// <reference types="node" preserve="true" />

// What a user's own tests import, as `weir-engine/testing`.

export { replay } from './data/replay.js';
export type { Data } from './flow/data.js';
export { WeirError } from './flow/errors.js';
export { type ExpectReplayOptions, expectReplay, Mismatch } from './run/testing/expect-replay.js';
export { type Recording, readRecording } from './storage/recording-reader.js';
export { RecordingWriter } from './storage/recording-writer.js';
/** For stages that compute with tensors: `beforeAll(() => loadTensorFlow())`. */
export { loadTensorFlow } from './tensorflow/tf.js';

// What a user's own tests import, as `weir/testing`.

export { replay } from './data/replay.js';
export type { Data } from './flow/core-data.js';
export { WeirError } from './flow/errors.js';
export { Mismatch } from './run/testing/mismatch.js';
export { type ExpectReplayOptions, expectReplay } from './run/testing/testing-expect-replay.js';
export { RecordingWriter } from './storage/core-recording-writer.js';
export { type Recording, readRecording } from './storage/recording-reader.js';
/** For stages that compute with tensors: `beforeAll(() => loadTensorFlow())`. */
export { loadTensorFlow } from './tensorflow/device-tf.js';

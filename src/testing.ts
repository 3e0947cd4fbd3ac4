// What a user's own tests import, as `weir/testing`.
export type { Data } from './core/data.js';
export { WeirError } from './core/errors.js';
export { type Recording, readRecording } from './core/recording-reader.js';
export { RecordingWriter } from './core/recording-writer.js';
export { replay } from './feed/source/replay.js';
/** For stages that compute with tensors: `beforeAll(() => loadTensorFlow())`. */
export { loadTensorFlow } from './learn/device/tf.js';
export { type ExpectReplayOptions, expectReplay } from './run/testing/expect-replay.js';
export { Mismatch } from './run/testing/mismatch.js';

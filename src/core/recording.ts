export type { Frame, RecordingHeader } from './recording-format.js';
export { type Recording, readRecording } from './recording-reader.js';
export { RecordingWriter } from './recording-writer.js';

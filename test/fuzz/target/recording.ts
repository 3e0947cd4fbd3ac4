import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from '../../../src/storage/digest.js';
import { aligned } from '../../../src/storage/file-format.js';
import { frameHeadBytes, preambleBytes, readRecording } from '../../../src/storage/recording-reader.js';
import type { Target } from '../fuzz.js';

const fixture = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, '../../../fixtures', `${name}.weirrec`));

function mend(bytes: Buffer): void {
  if (bytes.length < preambleBytes) return;
  const headerEnd = preambleBytes + aligned(bytes.readUInt32LE(16));
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  bytes.writeUInt32LE(crc32(bytes.subarray(preambleBytes, headerEnd)), 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  for (let at = headerEnd; at + frameHeadBytes <= bytes.length; ) {
    const end = at + frameHeadBytes + bytes.readUInt32LE(at + 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + frameHeadBytes, end)), at + 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 12)), at + 12);
    at = end;
  }
}

export const recording: Target = {
  name: 'recording',
  originals: [fixture('xor-batches'), fixture('xor-updates')],
  mend,
  read(file) {
    const { header, frames } = readRecording(file);
    let seen = `${header.edge}${header.pipeline}${header.createdAt}`.length;
    for (const frame of frames) {
      if (!Number.isFinite(frame.position)) throw new TypeError(`position ${frame.position}`);
      seen += frame.position;
    }
    return seen;
  },
};

import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { WeirError } from '../../src/flow/errors.js';
import { crc32 } from '../../src/storage/digest.js';
import { type RecordingFrame, readRecording } from '../../src/storage/recording-reader.js';
import { RecordingWriter } from '../../src/storage/recording-writer.js';
import { arbitraryData } from './arbitrary-data.js';

const folder = mkdtempSync(join(tmpdir(), 'weir-recording-'));
afterAll(() => rmSync(folder, { recursive: true }));
const header = { edge: 'batches', pipeline: 'mnist', createdAt: '2026-01-01T00:00:00Z' };
let count = 0;
const fresh = () => join(folder, `${count++}.recording`);

/** A small recording: three items (the second of several arrays), a gap, one more item. */
function small(): string {
  const file = fresh();
  const writer = RecordingWriter.create(file, header);
  writer.append(10, 0, { position: 10, values: Float32Array.of(1, 2, 3) });
  writer.append(20, 1.5, { 9: Uint8Array.of(9), 1: [Uint8Array.of(1), BigInt64Array.of(-1n)] });
  writer.gap(50, 2, 30);
  writer.append(60, 3, 'plain');
  writer.end();
  return file;
}
const frames = (file: string): RecordingFrame[] => [...readRecording(file).frames];
function caught(work: () => unknown): WeirError {
  try {
    work();
  } catch (error) {
    return error as WeirError;
  }
  throw new Error('did not fail');
}
const whole = (file: string): RecordingFrame[] => frames(file).filter((frame) => frame.kind !== 'torn');

test('items, times and gaps come back, as often as they are asked for', () => {
  const recording = readRecording(small());
  expect(recording.header).toEqual(header);
  const wanted = [
    { kind: 'item', position: 10, time: 0, item: { position: 10, values: Float32Array.of(1, 2, 3) } },
    {
      kind: 'item',
      position: 20,
      time: 1.5,
      item: { 9: Uint8Array.of(9), 1: [Uint8Array.of(1), BigInt64Array.of(-1n)] },
    },
    { kind: 'gap', position: 50, time: 2, missed: 30 },
    { kind: 'item', position: 60, time: 3, item: 'plain' },
  ];
  expect([...recording.frames]).toStrictEqual(wanted);
  expect([...recording.frames]).toStrictEqual(wanted);
  for (const frame of recording.frames) {
    expect(frame.position).toBe(10);
    break; // closes the file
  }
});

test('any plain data can be recorded, and its arrays used again at once', () => {
  fc.assert(
    fc.property(fc.array(arbitraryData, { maxLength: 5 }), (items) => {
      const file = fresh();
      const writer = RecordingWriter.create(file, header);
      items.forEach((item, i) => {
        writer.append(i, i, item);
      });
      writer.end();
      const wanted = items.map((item, i) => ({ kind: 'item', position: i, time: i, item }));
      expect(isDeepStrictEqual(frames(file), wanted)).toBe(true);
    }),
    { numRuns: 30 },
  );
  const file = fresh();
  const writer = RecordingWriter.create(file, header);
  const values = new Float32Array(600_000); // larger than the buffer
  for (let i = 0; i < 3; i++) writer.append(i, i, values.fill(i));
  writer.end();
  for (const frame of whole(file)) {
    const item = frame.kind === 'item' ? (frame.item as Float32Array) : new Float32Array();
    expect([item[0], item.at(-1), item.length]).toEqual([frame.position, frame.position, 600_000]);
    expect(item.buffer.byteLength).toBe(item.byteLength); // may be handed to a worker
  }
});

test('cut at any byte, the whole frames before remain, and the last says where it ends', () => {
  const file = small();
  const bytes = readFileSync(file);
  const all = frames(file);
  for (let length = 0; length < bytes.length; length += length % 16 === 15 ? 1 : 3) {
    writeFileSync(file, bytes.subarray(0, length));
    let got: RecordingFrame[];
    try {
      got = frames(file);
    } catch (error) {
      expect((error as Error).message).toMatch(/is cut short/); // within the header
      expect(length).toBeLessThan(140);
      continue;
    }
    const last = got.pop()!;
    expect(last.kind).toBe('torn');
    expect(got).toStrictEqual(all.slice(0, got.length));
    if (last.kind === 'torn') expect(last.problem.message).toContain(`was broken off after position ${last.position}`);
  }
});

test('a folder is no recording; those in it are named', () => {
  const run = join(folder, 'run');
  mkdirSync(join(run, 'recordings'), { recursive: true });
  writeFileSync(join(run, 'recordings/batch.weirrec'), '');
  expect(() => readRecording(run)).toThrow(
    expect.objectContaining({
      message: `${run} is a folder, and no recording`,
      remedy: `name one of its files: ${join(run, 'recordings/batch.weirrec')}`,
    }),
  );
});

test('an altered bit is refused, or lies after what was read', () => {
  const file = small();
  const bytes = readFileSync(file);
  for (let flip = 0; flip < bytes.length * 8; flip += 11) {
    const altered = Buffer.from(bytes);
    altered[flip >> 3]! ^= 1 << (flip & 7);
    writeFileSync(file, altered);
    expect(() => frames(file), `bit ${flip}`).toThrow(/altered|is no recording/);
  }
});

test('strange files are refused by name, and quickly', () => {
  const file = fresh();
  expect(() => readRecording(file)).toThrow(`cannot open recording ${file}: there is no such file or folder (ENOENT)`);
  writeFileSync(file, 'hello, this is no recording at all, though long enough');
  expect(() => readRecording(file)).toThrow('is no recording: expected \'WEIRFLOW\', got "hello, t"');
  for (const [version, text, remedy] of [
    [2, 'is of a newer format, version 2: this Weir reads version 1', 'update Weir'],
    [0, 'is of an older format, version 0: this Weir reads version 1', 'record it again'],
  ] as const) {
    const other = readFileSync(small());
    other.writeUInt32LE(version, 8);
    other.writeUInt32LE(crc32(other.subarray(0, 12)), 12);
    writeFileSync(file, other);
    const error = caught(() => readRecording(file));
    expect(error.message).toBe(`recording ${file}: ${text}`);
    expect(error.remedy).toContain(remedy);
  }
  const good = readFileSync(small());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(200), (noise, keep) => {
      writeFileSync(file, Buffer.concat([good.subarray(0, keep), noise]));
      try {
        frames(file);
      } catch (error) {
        expect((error as Error).message).toContain(`recording ${file}`);
      }
    }),
    { numRuns: 100 },
  );
});

test('a length that no checksum vouches for takes no memory', () => {
  const file = small();
  const bytes = readFileSync(file);
  const first = bytes.indexOf(Buffer.from([1, 0, 0, 0]), 32);
  bytes.writeUInt32LE(2 ** 30 - 8, first + 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(first, first + 12)), first + 12); // even one that it does, past the end
  writeFileSync(file, bytes);
  const before = process.memoryUsage().arrayBuffers;
  expect(frames(file).map((frame) => frame.kind)).toEqual(['torn']);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 22);
});

test('one that was broken off is continued from a position, and one that exists is not written over', () => {
  const file = small();
  const all = frames(file);
  expect(() => RecordingWriter.create(file, header)).toThrow(
    `cannot create recording ${file}: there is one already (EEXIST)`,
  );
  for (const position of [0, 10, 25, 50, 99]) {
    truncateSync(file, readFileSync(file).length - 1); // torn in its end
    const writer = RecordingWriter.continue(file, position);
    for (const frame of all) {
      if (frame.position <= position) continue;
      if (frame.kind === 'item') writer.append(frame.position, frame.time, frame.item);
      if (frame.kind === 'gap') writer.gap(frame.position, frame.time, frame.missed);
    }
    writer.end();
    expect(frames(file)).toStrictEqual(all);
  }
});

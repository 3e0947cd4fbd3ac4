import { readFileSync } from 'node:fs';
import { maskedCrc32c } from '../../src/export/event-file.js';

/** A protobuf message without its schema: what stands in each field, in order. */
export type Message = Map<number, (number | Buffer)[]>;

/** The events of a file, checksums verified: the other half of a round trip. */
export function readEvents(file: string): Message[] {
  const all = readFileSync(file);
  const events: Message[] = [];
  for (let at = 0; at < all.length; ) {
    const length = Number(all.readBigUInt64LE(at));
    if (maskedCrc32c(all.subarray(at, at + 8)) !== all.readUInt32LE(at + 8)) throw new Error('length altered');
    const body = all.subarray(at + 12, at + 12 + length);
    if (maskedCrc32c(body) !== all.readUInt32LE(at + 12 + length)) throw new Error('event altered');
    events.push(message(body));
    at += 16 + length;
  }
  return events;
}

export function message(bytes: Buffer): Message {
  const fields: Message = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    let value: number | Buffer;
    if (tag % 8 === 0) value = varint();
    else if (tag % 8 === 1) {
      value = bytes.readDoubleLE(at);
      at += 8;
    } else if (tag % 8 === 5) {
      value = bytes.readFloatLE(at);
      at += 4;
    } else {
      const length = varint();
      value = bytes.subarray(at, at + length);
      at += length;
    }
    const field = Math.floor(tag / 8);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

/** Messages, numbers or texts by the way to them: `inside(event, 5, 1)` are the values of its summary. */
export const inside = (from: Message, ...path: readonly number[]): Message[] =>
  path.reduce<Message[]>(
    (found, field) => found.flatMap((one) => (one.get(field) ?? []).map((part) => message(part as Buffer))),
    [from],
  );
export const text = (from: Message | undefined, field: number): string => String(from?.get(field)?.[0] ?? '');
export const number = (from: Message | undefined, field: number): number => Number(from?.get(field)?.[0] ?? 0);
export function doubles(from: Message, field: number): number[] {
  const bytes = from.get(field)![0] as Buffer;
  return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i));
}

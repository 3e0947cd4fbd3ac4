import { oneOf, type Random } from './random.js';

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const lengths = [0, 1, 2, 7, 255, 65_535, 2 ** 16, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 8, 2 ** 32 - 1];
const doubles = [Number.NaN, Infinity, -1, -0, 0.5, 2 ** 53, 2 ** 62, 1e300, 5e-324, -(2 ** 31)];

const inPlace =
  (alter: (bytes: Buffer, at: number, random: Random) => void, size = 1): Mutation =>
  (bytes, random) => {
    if (bytes.length >= size) alter(bytes, random(bytes.length - size + 1), random);
    return bytes;
  };

const mutations: readonly Mutation[] = [
  inPlace((bytes, at, random) => (bytes[at]! ^= 1 << random(8))),
  inPlace((bytes, at, random) => (bytes[at] = random(256))),
  inPlace((bytes, at, random) => bytes.writeUInt32LE(oneOf(random, lengths), at), 4),
  inPlace((bytes, at, random) => bytes.writeUInt32BE(oneOf(random, lengths), at), 4),
  inPlace((bytes, at, random) => bytes.writeUInt32LE((bytes.readUInt32LE(at) + 1 + random(64)) >>> 0, at), 4),
  inPlace((bytes, at, random) => bytes.writeUInt16BE(oneOf(random, lengths) & 0xffff, at), 2),
  inPlace((bytes, at, random) => bytes.writeDoubleLE(oneOf(random, doubles), at), 8),
  inPlace((bytes, at, random) => bytes.writeBigUInt64LE(BigInt(oneOf(random, lengths)) << BigInt(random(33)), at), 8),
  inPlace((bytes, at, random) => bytes.subarray(at, at + 1 + random(64)).fill(oneOf(random, [0, 255, 32, 0xc1]))),
  inPlace((bytes, at, random) => bytes.copy(bytes, random(bytes.length), at, at + 1 + random(64))), // one part over another
  (bytes, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, bytes.subarray(random(bytes.length + 1))]),
  (bytes, random) => {
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(16))]);
  },
  (bytes, random) => {
    const at = random(bytes.length + 1);
    const more = Buffer.from(Array.from({ length: 1 + random(16) }, () => random(256)));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  },
];

/** A copy of the bytes with one to five of: bits and bytes changed, lengths and counts spliced in, parts copied, cut, doubled, added. */
export function mutated(bytes: Uint8Array, random: Random): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let left = 1 + random(5); left > 0; left--) result = oneOf(random, mutations)(result, random);
  return result;
}

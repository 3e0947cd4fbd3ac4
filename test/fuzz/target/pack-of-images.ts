import { HEADER, headerBytes, VERSION } from '../../../src/data/format.js';
import { readImage } from '../../../src/data/images/reader.js';
import { packed } from '../../../src/data/packed.js';
import { crc32 } from '../../../src/storage/crc32.js';
import { pack } from '../../../src/storage/pack.js';
import type { Target } from '../target.js';

/** Two images of 2 × 3 pixels, as they are. */
function original(): Buffer {
  const records = [Buffer.alloc(18, 7), Buffer.alloc(18, 9)];
  const index = Buffer.from(
    pack({
      ...{ name: 'made', classes: ['a', 'b'], encoding: 'raw', labels: Uint8Array.of(0, 1) },
      ...{ offsets: Float64Array.of(HEADER, HEADER + 18), lengths: Uint32Array.of(18, 18) },
      ...{ checksums: Uint32Array.from(records, (record) => crc32(record)) },
      ...{ heights: Uint32Array.of(2, 2), widths: Uint32Array.of(3, 3) },
    }),
  );
  const header = headerBytes({ version: VERSION, at: HEADER + 36, length: index.length, checksum: crc32(index) });
  return Buffer.concat([header, ...records, index]);
}

function mend(bytes: Buffer): void {
  if (bytes.length < HEADER) return;
  const at = bytes.readDoubleLE(16);
  if (at >= 0 && at <= bytes.length) {
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + bytes.readDoubleLE(24))), 32);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER - 4)), HEADER - 4);
}

export const packOfImages: Target = {
  name: 'pack',
  originals: [original()],
  mend,
  async read(file) {
    const { images, size } = packed(file);
    // Where an altered index says that they are encoded, the decoder's own judgement is not ours to test.
    if (images.kind === 'packed' && images.encoding === 'encoded') return;
    for (let i = 0; i < size; i++) await readImage(images, i);
  },
};

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** A new folder for a test. */
export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'weir-images-'));

/** Writes files below a folder, with the folders they need. */
export function write(root: string, files: { readonly [path: string]: Uint8Array | string }): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** Pixels that differ from place to place, [height, width, channels]. */
export const pixels = (height: number, width: number, channels = 3, start = 0): Uint8Array =>
  Uint8Array.from({ length: height * width * channels }, (_, i) => (start + 37 * i + 11 * (i >> 4)) % 256);

const raw = (values: Uint8Array, height: number, width: number, channels: 1 | 2 | 3 | 4 = 3) =>
  sharp(values, { raw: { height, width, channels } });

/** A PNG of pixels: read back to the bit. */
export const png = (values: Uint8Array, height: number, width: number, channels: 1 | 2 | 3 | 4 = 3): Promise<Buffer> =>
  raw(values, height, width, channels).png().toBuffer();

/** A JPEG of one color, or of pixels. */
export const jpeg = (height: number, width: number, background = { r: 200, g: 100, b: 50 }): Promise<Buffer> =>
  sharp({ create: { height, width, channels: 3, background } })
    .jpeg({ quality: 95 })
    .toBuffer();

export const noisyJpeg = (height: number, width: number, start = 0): Promise<Buffer> =>
  raw(pixels(height, width, 3, start), height, width)
    .jpeg()
    .toBuffer();

/** Where the frame of a JPEG begins: its marker. */
export function frameAt(bytes: Buffer): number {
  let at = 2;
  while (bytes[at + 1]! < 0xc0 || bytes[at + 1]! > 0xc2) at += 2 + bytes.readUInt16BE(at + 2);
  return at;
}

/** A JPEG whose EXIF, its first segment of that kind, stands behind its frame. */
export function afterFrame(bytes: Buffer): Buffer {
  const exif = bytes.indexOf('Exif') - 4;
  const rest = exif + 2 + bytes.readUInt16BE(exif + 2);
  const frame = frameAt(bytes);
  const behind = frame + 2 + bytes.readUInt16BE(frame + 2);
  const parts = [bytes.subarray(0, exif), bytes.subarray(rest, behind), bytes.subarray(exif, rest)];
  return Buffer.concat([...parts, bytes.subarray(behind)]);
}

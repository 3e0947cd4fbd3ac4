import { createRequire } from 'node:module';
import type { Image } from './augment-image.js';
import { frameOf } from './jpeg-frame.js';

/** As much as is used of libjpeg-turbo in WebAssembly: its package has no types. */
interface Codec {
  readonly JPEGDecoder: new () => {
    /** Memory for that many bytes of a file. */
    getEncodedBuffer(length: number): Uint8ClampedArray;
    /** Throws a number for what is damaged, a warning of the library included. */
    decode(): void;
    /** Pixels, until the next are decoded. */
    getDecodedBuffer(): Uint8ClampedArray;
    getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  };
}
type Factory = (options: { print(line: string): void; printErr(line: string): void }) => Promise<Codec>;

/** Decodes in this thread; undefined where it cannot, for whatever reason: the other decoder then tells why, or can. */
export type PlainDecoder = (bytes: Uint8Array) => Image | undefined;

/** Pixels that are decoded here at most: the memory of WebAssembly grows with the largest and stays. */
const MOST_PLAIN_PIXELS = 2 ** 24;

/** Sampled in order, or progressively, by Huffman codes. */
const PROCESSES = [0xc0, 0xc1, 0xc2];

/** Images that may fail before the memory is given up: each leaves a few kilobytes behind. */
const FAILURES = 256;

/**
 * Whether an encoded image is a JPEG as most are: three colors of 8 bits, and no EXIF that may turn it. Its color profile is not looked
 * at, as `decode` does not.
 */
export function isPlainJpeg(bytes: Uint8Array): boolean {
  const frame = frameOf(bytes);
  if (frame === undefined || frame.exif) return false;
  const { process, precision, components, height, width } = frame;
  const pixels = height * width;
  return (
    PROCESSES.includes(process) && precision === 8 && components === 3 && pixels > 0 && pixels <= MOST_PLAIN_PIXELS
  );
}

/**
 * A decoder for what `isPlainJpeg` says yes to, to the bit that of `decode` (and of Pillow): libjpeg-turbo with its exact transform and
 * its smooth upsampling. An image costs 0.45 ms of 224 × 224 pixels where sharp needs 1.1, half of it for the call and not for the image.
 *
 * One a thread. The image it gives is good until it gives the next.
 */
export function plainDecoder(): Promise<PlainDecoder> {
  startedDecoder ??= startDecoder().catch(() => () => undefined); // no WebAssembly: sharp decodes all
  return startedDecoder;
}

let startedDecoder: Promise<PlainDecoder> | undefined;

async function startDecoder(): Promise<PlainDecoder> {
  const require = createRequire(import.meta.url);
  const factory = require('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs') as Factory;
  const quiet = (): void => undefined; // what is damaged is told once, by `decode`
  const decoder = new (await factory({ print: quiet, printErr: quiet })).JPEGDecoder();
  let failures = 0;
  return (bytes) => {
    try {
      asBytes(decoder.getEncodedBuffer(bytes.length)).set(bytes);
      decoder.decode();
    } catch {
      if (++failures >= FAILURES) startedDecoder = undefined;
      return undefined;
    }
    const { width, height, componentCount: channels } = decoder.getFrameInfo();
    const values = asBytes(decoder.getDecodedBuffer());
    return channels === 3 && values.length === height * width * 3 ? { height, width, channels, values } : undefined;
  };
}

const asBytes = ({ buffer, byteOffset, length }: Uint8ClampedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, length);

import { createRequire } from 'node:module';
import type { ResizeOptions } from 'sharp';
import { decodeBmp, frameOf, type Image, isBmp, measureBmp, opaqueGif } from './image.js';

type Sharp = typeof import('sharp').default;

let loaded: Promise<Sharp> | undefined;

/** Loads sharp with the first image, so that a run without images starts without it. */
function library(): Promise<Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.concurrency(1); // one thread an image: many images are decoded at once
    sharp.cache(false); // no image comes twice soon
    return sharp as Sharp;
  });
  return loaded;
}

/** Pixels of an image, at most: 8,192 x 8,192, which take 200 MB. A larger image is a decompression bomb, or no photograph of a data set. */
const MOST_PIXELS = 2 ** 26;

export interface DecodeOptions {
  /** Makes the shorter side this long where it is longer; a JPEG is then decoded at a half, quarter or eighth first. */
  readonly shorter?: number | undefined;
}

/**
 * An encoded image (JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP) as red, green and blue bytes, upright.
 *
 * Grays become three equal channels, 16 bits the upper 8, CMYK goes through its profile, alpha is left out, and the EXIF orientation is
 * applied. Color profiles of other images are not: torchvision leaves them alone too. Of several frames or pages it is the first.
 *
 * @throws an Error for an image that is truncated or damaged, even in its last row, and for more than `MOST_PIXELS`
 */
export async function decode(bytes: Uint8Array, { shorter }: DecodeOptions = {}): Promise<Image> {
  const sharp = await library();
  return explained(bytes, async () => {
    const opened = isBmp(bytes) ? fromBmp(sharp, bytes) : await fromFile(sharp, bytes);
    const upright = shorter === undefined ? opened : opened.resize(reduced(shorter));
    const { data, info } = await upright
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels once decoded, not 3`);
    return { height: info.height, width: info.width, channels: 3, values: data };
  });
}

/** The size of an encoded image, upright, by its header alone. @throws as `decode`, for faults of the header */
export async function measure(bytes: Uint8Array): Promise<{ readonly width: number; readonly height: number }> {
  const sharp = await library();
  return explained(bytes, async () => {
    if (isBmp(bytes)) return within(measureBmp(bytes));
    const page = await primaryPage(sharp, bytes);
    return within((await sharp(bytes, { ...UNLIMITED, ...page }).metadata()).autoOrient);
  });
}

async function fromFile(sharp: Sharp, bytes: Uint8Array) {
  const gif = opaqueGif(bytes);
  const opened = sharp(gif?.bytes ?? bytes, {
    failOn: 'warning',
    limitInputPixels: MOST_PIXELS,
    sequentialRead: true,
    autoOrient: true,
    ignoreIcc: frameOf(bytes)?.components !== 4, // inks have no meaning without a profile
    ...(await primaryPage(sharp, bytes)),
  });
  if (gif?.within === undefined) return opened;
  const { frame, around } = gif.within;
  const whole = opened.extract(frame).extend(around).removeAlpha().toColourspace('srgb');
  const { data, info } = await whole.raw().toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { height: info.height, width: info.width, channels: 3 } });
}

function fromBmp(sharp: Sharp, bytes: Uint8Array) {
  within(measureBmp(bytes));
  const { values, height, width } = decodeBmp(bytes);
  return sharp(values, { raw: { height, width, channels: 3 } });
}

function within<S extends { readonly width: number; readonly height: number }>(size: S): S {
  const { width, height } = size;
  if (width * height <= MOST_PIXELS) return size;
  const most = MOST_PIXELS.toLocaleString('en');
  throw new Error(`it has ${width} x ${height} pixels, and at most ${most} are read: make it smaller`);
}

/** The page of the whole image: an AVIF in tiles lists each tile as a page of its own. */
async function primaryPage(sharp: Sharp, bytes: Uint8Array): Promise<{ readonly page?: number }> {
  if (Buffer.from(bytes.buffer, bytes.byteOffset, 12).toString('latin1', 4, 8) !== 'ftyp') return {};
  const { pagePrimary } = await sharp(bytes, UNLIMITED).metadata();
  return pagePrimary === undefined ? {} : { page: pagePrimary };
}

/** Runs `work`, and replaces errors of the libraries where more is known about the cause. */
async function explained<T>(bytes: Uint8Array, work: () => Promise<T>): Promise<T> {
  const { precision = 8 } = frameOf(bytes) ?? {};
  if (precision !== 8) {
    throw new Error(`it is a JPEG of ${precision} bits a sample, and only those of 8 bits can be read: save it as PNG`);
  }
  try {
    return await work();
  } catch (cause) {
    if (/exceeds pixel limit/.test((cause as Error).message))
      within(await (await library())(bytes, UNLIMITED).metadata());
    throw cause;
  }
}

/** For headers: no pixel is decoded. */
const UNLIMITED = { limitInputPixels: false };

/** Pixels as a JPEG, its colors at full resolution. */
export const encodeJpeg = async ({ values, height, width }: Image, quality: number): Promise<Buffer> =>
  (await library())(values.subarray(0, height * width * 3), { raw: { height, width, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:4:4' })
    .toBuffer();

const reduced = (shorter: number): ResizeOptions => ({
  width: shorter,
  height: shorter,
  fit: 'outside',
  withoutEnlargement: true,
  kernel: 'linear',
});

/** The parts of libjpeg-turbo in WebAssembly that are used: its package has no types. */
interface Codec {
  readonly JPEGDecoder: new () => {
    /** Memory for that many bytes of a file. */
    getEncodedBuffer(length: number): Uint8ClampedArray;
    /** Throws a number for a damaged image, also where the library only warns. */
    decode(): void;
    /** Pixels, valid until the next image is decoded. */
    getDecodedBuffer(): Uint8ClampedArray;
    getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  };
}
type Factory = (options: { print(line: string): void; printErr(line: string): void }) => Promise<Codec>;

/** Decodes in this thread; undefined where it cannot, so that `decode` tries, or says why not. */
export type PlainDecoder = (bytes: Uint8Array) => Image | undefined;

/** Pixels that are decoded in this thread, at most: WebAssembly's memory grows with the largest image and does not shrink. */
const MOST_PLAIN_PIXELS = 2 ** 24;

/** Baseline, extended and progressive JPEGs with Huffman codes. */
const PROCESSES = [0xc0, 0xc1, 0xc2];

/** Failures after which the decoder is replaced: each leaks a few kilobytes. */
const FAILURES = 256;

/**
 * Whether an encoded image is a plain JPEG: three colors of 8 bits, and no EXIF that may turn it. Its color profile is ignored, as by
 * `decode`.
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
 * A decoder of plain JPEGs (`isPlainJpeg`), with the same bits as `decode` and Pillow: libjpeg-turbo with its exact transform and its smooth
 * upsampling. It spares the thread hop of sharp, which costs as much as a small image. `npm run bench -- image-folder` measures it.
 *
 * One a thread. An image is valid until the next is decoded.
 */
export function plainDecoder(): Promise<PlainDecoder> {
  startedDecoder ??= startDecoder().catch(() => () => undefined); // no WebAssembly: sharp decodes all
  return startedDecoder;
}

let startedDecoder: Promise<PlainDecoder> | undefined;

async function startDecoder(): Promise<PlainDecoder> {
  const require = createRequire(import.meta.url);
  const factory = require('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs') as Factory;
  const quiet = (): void => undefined; // `decode` reports damage, once
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

import { createRequire } from 'node:module';
import type { ResizeOptions } from 'sharp';
import { decodeBmp, frameOf, isBmp, measureBmp, opaqueGif } from './formats.js';
import type { Image } from './image.js';

type Sharp = typeof import('sharp').default;

let loaded: Promise<Sharp> | undefined;

/** Loaded with the first image: what has none to decode starts without it. */
function library(): Promise<Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.concurrency(1); // one image is small: many at once, a thread each
    sharp.cache(false); // every image is another one
    return sharp as Sharp;
  });
  return loaded;
}

/** Pixels that one image may have at most, 8,192 x 8,192 of them in 200 MB: a larger one is a bomb, or no photograph of a data set. */
export const MOST_PIXELS = 2 ** 26;

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
 * @throws an Error for what is truncated or otherwise damaged, be it in the last row, and for more than `MOST_PIXELS`
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

/** The size of an encoded image, upright, by its header alone. @throws as `decode`, as far as the header tells */
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

/** An AVIF in tiles lists each as a page of its own, and the whole image last: the page that is the image. */
async function primaryPage(sharp: Sharp, bytes: Uint8Array): Promise<{ readonly page?: number }> {
  if (Buffer.from(bytes.buffer, bytes.byteOffset, 12).toString('latin1', 4, 8) !== 'ftyp') return {};
  const { pagePrimary } = await sharp(bytes, UNLIMITED).metadata();
  return pagePrimary === undefined ? {} : { page: pagePrimary };
}

/** What the libraries say in words of their own, in ours where we know more. */
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

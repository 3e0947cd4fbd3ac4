import type { ResizeOptions } from 'sharp';
import type { Image } from '../augment/image.js';
import { frameOf } from './jpeg-frame.js';

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

/** Pixels that one image may have at most: what is larger is a bomb, or no photograph of a data set. */
const MOST_PIXELS = 2 ** 28;

export interface DecodeOptions {
  /** Makes the shorter side this long where it is longer; a JPEG is then decoded at a half, quarter or eighth first. */
  readonly shorter?: number | undefined;
}

/**
 * An encoded image (JPEG, PNG, WebP, …) as red, green and blue bytes, upright.
 *
 * Greys become three equal channels, 16 bits the upper 8, CMYK goes through its profile, alpha is left out, and the EXIF orientation is
 * applied. Colour profiles of other images are not: torchvision leaves them alone too.
 *
 * @throws an Error for what is truncated or otherwise damaged, be it in the last row
 */
export async function decode(bytes: Uint8Array, { shorter }: DecodeOptions = {}): Promise<Image> {
  const sharp = await library();
  const opened = sharp(bytes, {
    failOn: 'warning',
    limitInputPixels: MOST_PIXELS,
    sequentialRead: true,
    autoOrient: true,
    ignoreIcc: frameOf(bytes)?.components !== 4, // inks have no meaning without a profile
  });
  const upright = shorter === undefined ? opened : opened.resize(reduced(shorter));
  const { data, info } = await upright.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`it has ${info.channels} channels once decoded, not 3`);
  return { height: info.height, width: info.width, channels: 3, values: data };
}

/** The size of an encoded image, upright, by its header alone. */
export async function measure(bytes: Uint8Array): Promise<{ readonly width: number; readonly height: number }> {
  const { autoOrient } = await (await library())(bytes, { limitInputPixels: MOST_PIXELS }).metadata();
  return autoOrient;
}

/** Pixels as a JPEG, its colours at full resolution. */
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

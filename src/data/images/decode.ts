import type { ResizeOptions } from 'sharp';
import type { Image } from './augment-image.js';
import { decodeBmp, isBmp, measureBmp } from './bmp.js';
import { opaqueGif } from './gif-frame.js';
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

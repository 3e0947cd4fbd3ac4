import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { resize } from '../../../src/data/augment/ops/resize.js';
import { renderImages } from '../../../src/data/augment/renderer.js';
import { imageFolder } from '../../../src/data/datasets/image-folder/image-folder.js';
import { decode, isPlainJpeg, plainDecoder } from '../../../src/data/images/decoder.js';
import { beginImage } from '../../../src/data/images/reader.js';
import { newFolder, noisyJpeg, pixels, png, write } from './samples.js';

const root = newFolder();
vi.stubEnv('WEIR_CACHE', join(root, '.cache'));

const colors = (height: number, width: number) => sharp(pixels(height, width), { raw: { height, width, channels: 3 } });

/** Waves and noise: noise alone would hide what smooth upsampling does, waves alone what the transform does. */
const waves = (height: number, width: number): Uint8Array =>
  Uint8Array.from({ length: height * width * 3 }, (_, i) => 128 + 90 * Math.sin(i * 0.037) + 30 * Math.sin(i * i));

test('to the bit what the other decoder gives: sides of all lengths, colors sampled both ways, in order and progressively', async () => {
  const decodePlain = await plainDecoder();
  const sides = [[1, 1], [2, 2], [5, 7], [8, 16], [33, 17], [224, 224], [100, 3], [1, 640], [301, 203]] as const; // biome-ignore format: one a pair
  for (const [height, width] of sides) {
    for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
      for (const [progressive, quality] of [
        [false, 40],
        [true, 80],
        [false, 100],
      ] as const) {
        // biome-ignore format: one a pair
        const file = await sharp(waves(height, width), { raw: { height, width, channels: 3 } })
          .jpeg({ quality, chromaSubsampling, progressive })
          .toBuffer();
        const wanted = await decode(file);
        expect(isPlainJpeg(file)).toBe(true);
        const found = decodePlain(file);
        const what = `${height} × ${width}, ${chromaSubsampling}, quality ${quality}`;
        expect({ ...found, values: 0 }, what).toEqual({ ...wanted, values: 0 });
        expect(Buffer.compare(found!.values, wanted.values), what).toBe(0);
      }
    }
  }
});

test('a color profile is left alone by both', async () => {
  const file = await colors(9, 9).withIccProfile('p3').jpeg().toBuffer();
  expect((await sharp(file).metadata()).icc).toBeDefined();
  expect(isPlainJpeg(file)).toBe(true);
  expect(Buffer.compare((await plainDecoder())(file)!.values, (await decode(file)).values)).toBe(0);
});

test('what is gray, of inks, perhaps turned, no JPEG or no image is for the other', async () => {
  const others = {
    gray: await colors(9, 9).toColourspace('b-w').jpeg().toBuffer(),
    inks: await colors(9, 9).toColourspace('cmyk').jpeg().toBuffer(),
    turned: await colors(9, 9).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    png: await png(pixels(9, 9), 9, 9),
    text: Buffer.from('this is no image'),
    nothing: new Uint8Array(0),
    headless: (await noisyJpeg(9, 9)).subarray(0, 100),
  };
  for (const [what, bytes] of Object.entries(others)) expect(isPlainJpeg(bytes), what).toBe(false);
});

test('what is damaged is given up, and the next one is decoded', async () => {
  const decodePlain = await plainDecoder();
  const whole = await noisyJpeg(64, 64);
  const wanted = (await decode(whole)).values;
  for (const part of [0.3, 0.6, 0.9, 0.99]) {
    const cut = whole.subarray(0, Math.floor(part * whole.length));
    expect(decodePlain(cut)).toBeUndefined();
    expect(Buffer.compare(decodePlain(whole)!.values, wanted)).toBe(0);
  }
});

test('a decoder that has left too much memory behind makes room for a new one', async () => {
  const decodePlain = await plainDecoder();
  const whole = await noisyJpeg(16, 16);
  for (let i = 0; i < 300; i++) decodePlain(whole.subarray(0, whole.length >> 1));
  const next = await plainDecoder();
  expect(next).not.toBe(decodePlain);
  expect(next(whole)).toMatchObject({ height: 16, width: 16 });
});

test('a folder of all kinds is rendered as each is decoded, and one cut short is named as ever', async () => {
  const size = { height: 24, width: 24 };
  const whole = await noisyJpeg(24, 24, 5);
  const files = {
    '0.jpg': await noisyJpeg(24, 24, 1),
    '1.jpg': await colors(24, 24).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    '2.jpg': await noisyJpeg(24, 24, 3),
    '3.png': await png(pixels(24, 24, 3, 4), 24, 24),
    '4.jpg': whole,
    '5.jpg': await colors(24, 24).toColourspace('b-w').jpeg().toBuffer(),
    '6.jpg': whole.subarray(0, whole.length - 40),
  };
  write(join(root, 'all'), Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`one/${name}`, bytes])));
  const dataset = await imageFolder({ folder: join(root, 'all'), verify: 'header', say: () => undefined });
  const indices = Uint32Array.from({ length: 6 }, (_, i) => i);
  const key = { seed: 0, epoch: 1 };
  const found = await renderImages(dataset, indices, [[resize({ size: [24, 24] })]], key);
  const wanted = await Promise.all(
    Object.values(files)
      .slice(0, 6)
      .map((bytes) => decode(bytes)),
  );
  expect(wanted.every(({ height, width }) => height === size.height && width === size.width)).toBe(true);
  expect(found).toEqual(Float32Array.from(wanted.flatMap(({ values }) => [...values])));

  await expect(renderImages(dataset, Uint32Array.of(4, 6), [[resize({ size: 8 })]], key)).rejects.toThrow();
  const cut = beginImage(dataset.images, 6).then((end) => end());
  await expect(cut).rejects.toMatchObject({
    message: "'one/6.jpg' cannot be decoded: VipsJpeg: premature end of JPEG image",
    remedy: 'remove it from the folder, or repair it',
  });
});

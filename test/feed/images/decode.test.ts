import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decode } from '../../../src/feed/images/decode.js';
import { jpeg, noisyJpeg, pixels, png } from './made.js';

const values = pixels(5, 7);

test('a PNG comes out as its pixels', async () => {
  const found = await decode(await png(values, 5, 7));
  expect({ ...found, values: [...found.values] }).toEqual({ height: 5, width: 7, channels: 3, values: [...values] });
});

test('grey becomes three equal channels, in 8 and in 16 bits, PNG and JPEG; alpha is left out, not painted over', async () => {
  const grey = pixels(5, 7, 1);
  const three = [...grey].flatMap((value) => [value, value, value]);
  expect([...(await decode(await png(grey, 5, 7, 1))).values]).toEqual(three);

  const wide = new Uint16Array(35).map((_, i) => grey[i]! * 257);
  const deep = await sharp(wide, { raw: { height: 5, width: 7, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe('ushort');
  expect([...(await decode(deep)).values]).toEqual(three);

  const jpegGrey = await sharp({ create: { height: 8, width: 8, channels: 3, background: '#808080' } })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer();
  expect((await sharp(jpegGrey).metadata()).channels).toBe(1);
  expect([...(await decode(jpegGrey)).values]).toEqual(new Array(192).fill(128));

  const clear = Uint8Array.from([9, 8, 7, 0, 200, 100, 50, 128]);
  expect([...(await decode(await png(clear, 1, 2, 4))).values]).toEqual([9, 8, 7, 200, 100, 50]);
});

test('16-bit colour keeps its upper 8 bits', async () => {
  const wide = new Uint16Array(105).map((_, i) => values[i]! * 256 + 100);
  const deep = await sharp(wide, { raw: { height: 5, width: 7, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe('ushort');
  const found = await decode(deep);
  expect([...found.values]).toEqual([...values]);
});

test('CMYK becomes the colours it stands for', async () => {
  const ink = await sharp({ create: { height: 8, width: 8, channels: 3, background: { r: 180, g: 120, b: 90 } } })
    .toColourspace('cmyk')
    .jpeg({ quality: 100 })
    .toBuffer();
  expect((await sharp(ink).metadata()).channels).toBe(4);
  const { values } = await decode(ink);
  expect(values).toHaveLength(192);
  for (const [i, wanted] of [180, 120, 90].entries()) expect(Math.abs(values[i]! - wanted)).toBeLessThan(12);
});

test('an EXIF orientation is applied: a quarter turn swaps the sides', async () => {
  const turned = await sharp(values, { raw: { height: 5, width: 7, channels: 3 } })
    .png()
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const found = await decode(turned);
  expect([found.height, found.width]).toEqual([7, 5]);
  // orientation 6: shown after a quarter turn clockwise, so the first row is the first column from below
  const pixel = (image: Uint8Array, width: number, y: number, x: number) => [
    ...image.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
  ];
  for (let y = 0; y < 7; y++)
    for (let x = 0; x < 5; x++) expect(pixel(found.values, 5, y, x)).toEqual(pixel(values, 7, 4 - x, y));
});

test('a reduced size: the shorter side, in proportion, never enlarged', async () => {
  const large = await jpeg(640, 400);
  const found = await decode(large, { shorter: 100 });
  expect([found.height, found.width]).toEqual([160, 100]);
  const small = await decode(await jpeg(20, 30), { shorter: 100 });
  expect([small.height, small.width]).toEqual([20, 30]);
});

test('a JPEG cut anywhere is an error, and one that ends right is none', async () => {
  const whole = await noisyJpeg(64, 64);
  await expect(decode(whole)).resolves.toMatchObject({ height: 64, width: 64 });
  for (const part of [0.3, 0.6, 0.9, 0.99]) {
    await expect(decode(whole.subarray(0, Math.floor(part * whole.length)))).rejects.toThrow();
  }
  await expect(decode(new Uint8Array(0))).rejects.toThrow();
  await expect(decode(Buffer.from('this is no image'))).rejects.toThrow('unsupported image format');
});

import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decode, isPlainJpeg, measure } from '../../../src/data/images/decoder.js';
import { crc32 } from '../../../src/storage/digest.js';
import { afterFrame, frameAt, jpeg, noisyJpeg, pixels, png } from './samples.js';

const values = pixels(5, 7);

test('a PNG comes out as its pixels', async () => {
  const found = await decode(await png(values, 5, 7));
  expect({ ...found, values: [...found.values] }).toEqual({ height: 5, width: 7, channels: 3, values: [...values] });
});

test('gray becomes three equal channels, in 8 and in 16 bits, PNG and JPEG; alpha is left out, not painted over', async () => {
  const gray = pixels(5, 7, 1);
  const three = [...gray].flatMap((value) => [value, value, value]);
  expect([...(await decode(await png(gray, 5, 7, 1))).values]).toEqual(three);

  const wide = new Uint16Array(35).map((_, i) => gray[i]! * 257);
  const deep = await sharp(wide, { raw: { height: 5, width: 7, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe('ushort');
  expect([...(await decode(deep)).values]).toEqual(three);

  const jpegGray = await sharp({ create: { height: 8, width: 8, channels: 3, background: '#808080' } })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer();
  expect((await sharp(jpegGray).metadata()).channels).toBe(1);
  expect([...(await decode(jpegGray)).values]).toEqual(new Array(192).fill(128));

  const clear = Uint8Array.from([9, 8, 7, 0, 200, 100, 50, 128]);
  expect([...(await decode(await png(clear, 1, 2, 4))).values]).toEqual([9, 8, 7, 200, 100, 50]);
});

test('16-bit color keeps its upper 8 bits', async () => {
  const wide = new Uint16Array(105).map((_, i) => values[i]! * 256 + 100);
  const deep = await sharp(wide, { raw: { height: 5, width: 7, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe('ushort');
  const found = await decode(deep);
  expect([...found.values]).toEqual([...values]);
});

test('CMYK becomes the colors it stands for', async () => {
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

test('EXIF behind the frame turns the picture as EXIF before it does: one decoder alone decides', async () => {
  const before = await sharp(values, { raw: { height: 5, width: 7, channels: 3 } })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const behind = afterFrame(before);
  expect(behind).toHaveLength(before.length);
  expect(behind.equals(before)).toBe(false);
  for (const file of [before, behind]) {
    expect(isPlainJpeg(file)).toBe(false);
    expect(await measure(file)).toMatchObject({ height: 7, width: 5 });
    expect([...(await decode(file)).values]).toEqual([...(await decode(before)).values]);
  }
});

test('a JPEG of 12 bits a sample is called what it is', async () => {
  const twelve = Buffer.from(await noisyJpeg(16, 16));
  twelve[frameAt(twelve) + 4] = 12;
  const why = 'it is a JPEG of 12 bits a sample, and only those of 8 bits can be read: save it as PNG';
  await expect(decode(twelve)).rejects.toThrow(why);
  await expect(measure(twelve)).rejects.toThrow(why);
});

test('more pixels than the limit are refused by the header, with the size', async () => {
  const bomb = await png(pixels(1, 1), 1, 1);
  for (const at of [16, 20]) bomb.writeUInt32BE(16_384, at);
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
  const why = 'it has 16384 x 16384 pixels, and at most 67,108,864 are read: make it smaller';
  await expect(decode(bomb)).rejects.toThrow(why);
  await expect(measure(bomb)).rejects.toThrow(why);
});

test('a BMP of a kind that is not read, or cut short, says so', async () => {
  const bmp = Buffer.alloc(54 + 8 * 2);
  bmp.write('BM');
  for (const [at, value] of [[10, 54], [14, 40], [18, 2], [22, 2]] as const) bmp.writeUInt32LE(value, at); // biome-ignore format: one a pair
  bmp.writeUInt16LE(24, 28);
  expect(await measure(bmp)).toEqual({ width: 2, height: 2 });
  await expect(decode(bmp.subarray(0, 60))).rejects.toThrow('a BMP of 2 x 2 pixels that ends after 60 bytes');
  bmp.writeUInt16LE(4, 28);
  await expect(decode(bmp)).rejects.toThrow('a BMP of 4 bits a pixel, which is not read');
  bmp.writeUInt32LE(1, 30);
  await expect(measure(bmp)).rejects.toThrow('a BMP of compression 1, which is not read');
});

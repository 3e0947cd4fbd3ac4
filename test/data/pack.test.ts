import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { centerCrop } from '../../src/data/augment/ops/crop.js';
import { resize } from '../../src/data/augment/ops/resize.js';
import { decoded } from '../../src/data/augment/rendered-dataset.js';
import { imageFolder } from '../../src/data/datasets/image-folder/image-folder.js';
import { readImage } from '../../src/data/images/reader.js';
import { packed, packImages } from '../../src/data/pack.js';
import { jpeg, newFolder, noisyJpeg, pixels, png, write } from './images/samples.js';

const root = newFolder();
vi.stubEnv('WEIR_CACHE', join(root, '.cache'));
write(root, {
  'images/a/1.jpg': await noisyJpeg(40, 30),
  'images/a/2.png': await png(pixels(9, 50), 9, 50),
  'images/b/3.jpg': await jpeg(33, 21),
});
const folder = join(root, 'images');
const open = () => imageFolder({ folder, say: () => undefined });
const at = (name: string) => join(root, name);
const recipe = [resize({ size: [16, 12] })];

test.each([{ raw: false }, { raw: true }])('the same images to the bit as from the folder: %o', async (options) => {
  const from = await open();
  const file = at(`same-${options.raw}.weirpack`);
  const size = await packImages(from, file, options);
  expect(statSync(file).size).toBe(size);
  const found = packed(file);
  expect(found).toMatchObject({ size: 3, classes: ['a', 'b'], sampleShape: [0, 0, 3] });
  expect([...found.labels]).toEqual([0, 0, 1]);
  for (const i of [2, 0, 1]) {
    const image = await readImage(found.images, i);
    expect({ ...image, values: [...image.values] }).toEqual({
      ...(await readImage(from.images, i)),
      values: [...(await readImage(from.images, i)).values],
    });
  }
  const { origins, ...samples } = await decoded(found, recipe); // of records, and below of files: pixels have other bytes
  expect(origins).toHaveLength(3);
  expect(samples).toEqual({ ...(await decoded(from, recipe)), name: found.name, origins: undefined });
});

test('resized to a shorter side, as JPEG or as pixels; a smaller image keeps its size', async () => {
  for (const raw of [false, true]) {
    const file = at(`short-${raw}.weirpack`);
    await packImages(await open(), file, { raw, shorter: 15 });
    const { images } = packed(file);
    const sizes = await Promise.all(
      [0, 1, 2].map(async (i) => {
        const { height, width } = await readImage(images, i);
        return [height, width];
      }),
    );
    expect(sizes).toEqual([
      [20, 15],
      [9, 50],
      [24, 15],
    ]);
  }
});

test('a data set in memory of a packed one: bytes, in one size', async () => {
  const file = at('memory.weirpack');
  await packImages(await open(), file, { raw: true });
  const found = await decoded(packed(file), [resize({ size: 9 }), centerCrop({ size: 8 })]);
  expect(found.sampleShape).toEqual([8, 8, 3]);
  expect(found.values).toBeInstanceOf(Uint8Array);
  expect(found.values).toHaveLength(3 * 192);
});

/** A pack whose bytes were changed, under a name of its own. */
async function changed(name: string, change: (bytes: Buffer) => Buffer | undefined): Promise<string> {
  const whole = at('whole.weirpack');
  if (!existsSync(whole)) await packImages(await open(), whole);
  const bytes = readFileSync(whole);
  const file = at(`${name}.weirpack`);
  writeFileSync(file, change(bytes) ?? bytes);
  return file;
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
}

test('cut short, too long, altered, of another format, or none: each named', async () => {
  const cut = await changed('cut', (bytes) => bytes.subarray(0, bytes.length - 5));
  expect(() => packed(cut)).toThrow(
    new RegExp(`'${cut}' is cut short: it takes \\d+ bytes, but has ${statSync(cut).size}`),
  );
  const long = await changed('long', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]));
  expect(() => packed(long)).toThrow(`'${long}' is too long`);
  const index = await changed('index', (bytes) => flipped(bytes, bytes.length - 3));
  expect(() => packed(index)).toThrow(`the index of '${index}' was altered`);
  const header = await changed('header', (bytes) => flipped(bytes, 20));
  expect(() => packed(header)).toThrow(`'${header}' has an altered header`);
  const other = await changed('other', (bytes) => void bytes.write('safetens'));
  expect(() => packed(other)).toThrow(`'${other}' is no pack of images`);
  expect(() => packed(at('none.weirpack'))).toThrow("none.weirpack' cannot be read");
});

test('a record that was altered, or lost its end while training, is named when it is read', async () => {
  const file = await changed('record', (bytes) => flipped(bytes, 100));
  const { images } = packed(file);
  await expect(readImage(images, 0)).rejects.toThrow(`record 0 of '${file}' was altered: its checksum differs`);
  await expect(readImage(images, 1)).resolves.toMatchObject({ height: 9, width: 50 });
  truncateSync(file, 200);
  await expect(readImage(images, 2)).rejects.toThrow(`record 2 of '${file}' is cut short`);
});

test('a pack that fails leaves nothing behind', async () => {
  const from = await open();
  const file = at('failing.weirpack');
  write(root, { 'images/b/3.jpg': await jpeg(33, 22) });
  await expect(packImages(from, file)).rejects.toThrow(
    `'b/3.jpg' of '${folder}' has changed since the folder was read`,
  );
  write(root, { 'images/b/3.jpg': await jpeg(33, 21) });
  expect(readdirSync(root).filter((name) => name.startsWith('failing'))).toEqual([]);
  await expect(packImages(from, join(root, 'none/x.weirpack'))).rejects.toThrow(
    `cannot write ${join(root, 'none/x.weirpack')}`,
  );
  const done = packed(await changed('again', () => undefined));
  await expect(packImages(done, file)).rejects.toThrow('is packed already');
});

test('weir pack FOLDER FILE', async () => {
  const file = at('command.weirpack');
  const command = join(import.meta.dirname, '../../src/cli/weir.js');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    command,
    'pack',
    folder,
    file,
    '--shorter',
    '20',
    '--raw',
  ]);
  expect(stderr).toContain('3 images of 2 classes');
  expect(stdout).toMatch(/command\.weirpack: 3 images, \d+\.\d MB\n/);
  expect(packed(file).images).toMatchObject({ kind: 'packed', encoding: 'raw' });
});

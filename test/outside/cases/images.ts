import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf, readImage } from '../../../src/data/images/reader.js';
import { packed } from '../../../src/data/pack.js';
import { crc32 } from '../../../src/storage/digest.js';
import { frameAt, jpeg, noisyJpeg, pixels, png } from '../../data/images/samples.js';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../data/images/vectors/pillow.json'), 'utf8'),
) as { readonly files: Readonly<Record<string, { readonly file: string; readonly values: string }>> };

const pack = (world: World, ...more: string[]) =>
  world.weir('pack', world.path('images'), world.path('images.weirpack'), '--raw', ...more);

/** Pixels as `weir pack --raw` wrote them. */
const pixelsOf = (world: World, index: number) => readImage(packed(world.path('images.weirpack')).images, index);

/** A folder of images through the command line: `weir pack` decodes each as training does. */
export const images: readonly Case[] = [
  {
    name: 'images: every kind has the pixels that Pillow shows',
    quick: true,
    async play(world) {
      const rows = Object.entries(vectors.files);
      for (const [i, [name, { file }]] of rows.entries()) {
        const ending = name.split(/[ ,]/)[0]!;
        world.write(`images/a/${String(i).padStart(3, '0')}.${ending}`, Buffer.from(file, 'base64'));
      }
      succeeded(await pack(world));
      for (const [i, [name, { values }]] of rows.entries()) {
        const wanted = Buffer.from(values, 'base64');
        const found = (await pixelsOf(world, i)).values;
        const off = wanted.reduce((most, value, k) => Math.max(most, Math.abs(value - found[k]!)), 0);
        right(off <= (name.startsWith('avif') ? 1 : 0), `${name}: off by ${off} of 255`);
      }
    },
  },
  {
    name: 'images: a folder of .ppm says that it is passed over',
    quick: true,
    async play(world) {
      world.write('images/a/1.png', await png(pixels(4, 4), 4, 4));
      world.write('images/a/2.ppm', 'P6 1 1 255\nabc');
      warned(await pack(world), /1 file passed over: 1 \.ppm; convert/);
      world.write('images/b/3.pgm', 'P5 1 1 255\na');
      refused(await pack(world), /class 'b' .* has no image .* kinds that are not read: \.ppm, \.pgm/);
    },
  },
  {
    name: 'images: a .jfif is read',
    async play(world) {
      world.write('images/a/1.jfif', await jpeg(6, 8));
      warned(succeeded(await pack(world)), /1 images of 1 classes/);
    },
  },
  {
    name: 'images: a JPEG of 12 bits is called what it is, and the remedy is a setting',
    quick: true,
    async play(world) {
      const twelve = Buffer.from(await noisyJpeg(16, 16));
      twelve[frameAt(twelve) + 4] = 12;
      world.write('images/a/1.jpg', twelve);
      const ended = await pack(world);
      refused(ended, /a JPEG of 12 bits a sample/);
      warned(ended, /--set unreadable=skip/);
    },
  },
  {
    name: 'images: a PNG of 16,384 x 16,384 pixels is refused before it is decoded',
    async play(world) {
      const bomb = await png(pixels(1, 1), 1, 1);
      for (const at of [16, 20]) bomb.writeUInt32BE(16_384, at);
      bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
      world.write('images/a/1.png', bomb);
      refused(await pack(world), /it has 16384 x 16384 pixels, and at most 67,108,864 are read/);
    },
  },
  {
    name: 'images: a name of Latin-1 bytes is read',
    async play(world) {
      mkdirSync(world.path('images/a'), { recursive: true });
      writeFileSync(Buffer.from(`${world.path('images/a')}/caf\xe9.png`, 'latin1'), await png(pixels(4, 4), 4, 4));
      succeeded(await pack(world));
      const { images, size } = packed(world.path('images.weirpack'));
      right(size === 1, `${size} images where there is one`);
      const { values } = await readImage(images, 0);
      right(Buffer.compare(values, pixels(4, 4)) === 0, `${nameOf(images, 0)} has other pixels`);
    },
  },
  {
    name: 'images: class folders that are links to elsewhere are refused, or followed',
    async play(world) {
      world.write('elsewhere/a/1.png', await png(pixels(4, 4), 4, 4));
      mkdirSync(world.path('images'));
      symlinkSync(world.path('elsewhere/a'), world.path('images/a'));
      refused(await pack(world), /leads out of the folder[\s\S]*--links follow/);
      warned(succeeded(await pack(world, '--links', 'follow')), /1 images of 1 classes/);
    },
  },
  {
    name: 'images: a pipe among the files is named, not waited for',
    quick: true,
    async play(world) {
      world.write('images/a/1.png', await png(pixels(4, 4), 4, 4));
      execFileSync('mkfifo', [world.path('images/a/2.png')]);
      refused(await pack(world), /1 of 2 images .* cannot be read: 'a\/2\.png' \(it is not a regular file\)/);
    },
  },
];

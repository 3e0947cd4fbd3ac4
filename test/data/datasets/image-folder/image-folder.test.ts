import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  type ImageFolder,
  type ImageFolderOptions,
  imageFolder,
} from '../../../../src/data/datasets/image-folder/image-folder.js';
import { nameOf, pathOf, readImage } from '../../../../src/data/images/reader.js';
import { jpeg, newFolder, noisyJpeg, pixels, png, write } from '../../images/samples.js';

const image = await jpeg(6, 8);
const mats = JSON.parse(readFileSync(join(import.meta.dirname, 'mat.json'), 'utf8'));
const mat = (name: string): Buffer => Buffer.from(mats[name].compressed, 'base64');
let root: string;
let said: string[];

beforeEach(() => {
  root = newFolder();
  said = [];
  vi.stubEnv('WEIR_CACHE', join(root, '.cache'));
});

const open = (options: Partial<ImageFolderOptions> = {}) =>
  imageFolder({ folder: root, say: (line) => said.push(line), ...options });
const paths = ({ images, size }: ImageFolder) =>
  images.kind === 'files' ? Array.from({ length: size }, (_, i) => pathOf(images, i)) : [];

test('ImageNet’s layout: classes and images in the order of their names, hidden files and notes left out', async () => {
  write(root, {
    'train/b/2.jpg': image,
    'train/b/1.JPEG': image,
    'train/a/deep/3.png': await png(pixels(3, 9), 3, 9),
    'train/a/notes.txt': 'no image',
    'train/a/.hidden.jpg': image,
    'val/a/4.jpg': image,
    'val/b/5.jpg': image,
  });
  const train = await open({ split: 'train' });
  expect(paths(train)).toEqual(['train/a/deep/3.png', 'train/b/1.JPEG', 'train/b/2.jpg']);
  expect([...train.labels]).toEqual([0, 1, 1]);
  expect(train).toMatchObject({ size: 3, sampleShape: [0, 0, 3], classes: ['a', 'b'] });
  expect(train.report).toMatchObject({
    images: 3,
    classes: [
      { name: 'a', images: 1 },
      { name: 'b', images: 2 },
    ],
    width: [8, 9],
    height: [3, 6],
    unreadable: [],
  });
  expect(said[0]).toContain('3 images of 2 classes (folders of classes)');
  expect(said[1]).toBe("  from 1 of 'a' to 2 of 'b', median 2");
  expect((await open({ split: 'val' })).size).toBe(2);
  await expect(open({ split: 'test' })).rejects.toThrow(`'${root}' has no folder 'test'`);
});

test('class names are in one spelling, and in its order, whatever the file system’s', async () => {
  const [composed, decomposed] = ['\u00e9t\u00e9', 'e\u0301te\u0301'];
  write(root, { [`a/${decomposed}/1.jpg`]: image, 'a/zoo/2.jpg': image, 'a/mer/3.jpg': image });
  write(root, { [`b/${composed}/1.jpg`]: image, 'b/zoo/2.jpg': image, 'b/mer/3.jpg': image });
  const [mac, linux] = [await open({ split: 'a' }), await open({ split: 'b' })];
  expect(mac.classes).toEqual(['mer', 'zoo', composed]);
  expect(linux.classes).toEqual(mac.classes);
  expect(paths(mac)[2]).toBe(`a/${decomposed}/1.jpg`); // on the disk it is as it was
  write(root, { [`b/${decomposed}/4.jpg`]: image });
  await expect(open({ split: 'b' })).rejects.toThrow(
    expect.objectContaining({
      message: `two classes of '${join(root, 'b')}' are called '${composed}' once both are spelled the same way in Unicode (NFC)`,
      remedy: 'put their images into one folder, or rename one of them',
    }),
  );
});

test('more than 256 classes have labels of two bytes', async () => {
  write(
    root,
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`c${String(i).padStart(3, '0')}/0.jpg`, image])),
  );
  const { labels } = await open({ verify: 'header' });
  expect(labels).toBeInstanceOf(Uint16Array);
  expect([...labels]).toEqual(Array.from({ length: 300 }, (_, i) => i));
});

test('Flowers-102 by its lists', async () => {
  write(root, { 'imagelabels.mat': mat('imagelabels'), 'setid.mat': mat('setid') });
  for (const i of [1, 2, 3, 4]) write(root, { [`jpg/image_0000${i}.jpg`]: image });
  const train = await open();
  expect(paths(train)).toEqual(['jpg/image_00004.jpg', 'jpg/image_00001.jpg']);
  expect([...train.labels]).toEqual([2, 2]);
  expect(train.classes).toHaveLength(102);
  expect([...(await open({ split: 'val' })).labels]).toEqual([0]);
  expect([...(await open({ split: 'test' })).labels]).toEqual([101]);
  await expect(open({ split: 'dev' })).rejects.toThrow("Flowers-102 has no split 'dev'");
});

test('Stanford Dogs by its list', async () => {
  write(root, {
    'train_list.mat': mat('train_list'),
    'Images/n02085620-Chihuahua/n02085620_5927.jpg': image,
    'Images/n02085620-Chihuahua/b.jpg': image,
    'Images/n02085782-Japanese_spaniel/n02085782_1.jpg': image,
    'Images/n02085782-Japanese_spaniel/not-in-the-list.jpg': image,
  });
  const dogs = await open();
  expect(dogs.classes).toEqual(['n02085620-Chihuahua', 'n02085782-Japanese_spaniel']);
  expect([...dogs.labels]).toEqual([0, 1, 0]);
  expect(paths(dogs)[1]).toBe('Images/n02085782-Japanese_spaniel/n02085782_1.jpg');
  await expect(open({ split: 'test' })).rejects.toThrow("test_list.mat' cannot be read");
});

test('MIT Indoor by its lists; one that names what is not there is refused, or told of and gone on without', async () => {
  write(root, {
    'TrainImages.txt': 'bar/one.jpg\r\nattic/two.jpg\nbar/gone.jpg\n',
    'TestImages.txt': 'bar/three.jpg\nattic/four.jpg\n',
  });
  for (const path of ['bar/one', 'attic/two', 'bar/three', 'attic/four'])
    write(root, { [`Images/${path}.jpg`]: image });
  const test = await open({ split: 'test' });
  expect(test.classes).toEqual(['attic', 'bar']);
  expect([...test.labels]).toEqual([1, 0]);
  await expect(open()).rejects.toThrow(
    `1 of 3 images of '${root}' cannot be read: 'Images/bar/gone.jpg' (it does not exist)`,
  );
  const train = await open({ unreadable: 'skip' });
  expect(train.size).toBe(2);
  expect(train.report.unreadable).toEqual([{ path: 'Images/bar/gone.jpg', why: 'it does not exist' }]);
  expect(said).toContain('    Images/bar/gone.jpg: it does not exist');
  const latin = (text: string) => Buffer.from(text, 'latin1');
  writeFileSync(join(root, 'TrainImages.txt'), latin('M\xfcll/one.jpg\nM\xe4ll/one.jpg\n'));
  for (const name of ['M\xfcll', 'M\xe4ll']) {
    const folder = Buffer.concat([Buffer.from(`${root}/Images/`), latin(name)]);
    mkdirSync(folder);
    writeFileSync(Buffer.concat([folder, Buffer.from('/one.jpg')]), image);
  }
  const other = await open(); // two classes, not one; capitals come first
  expect([other.size, other.classes.length, ...other.labels]).toEqual([2, 4, 1, 0]);
  writeFileSync(join(root, 'TrainImages.txt'), 'one.jpg\n');
  await expect(open()).rejects.toThrow("TrainImages.txt' is 'one.jpg', not CLASS/IMAGE");
});

test('a truncated JPEG is named and counted; it is fatal, or skipped', async () => {
  const whole = await noisyJpeg(40, 40);
  write(root, { 'a/good.jpg': whole, 'a/cut.jpg': whole.subarray(0, 700), 'b/empty.jpg': '', 'b/good.jpg': whole });
  await expect(open()).rejects.toThrow(
    new RegExp(`2 of 4 images of '${root}' cannot be read: 'a/cut.jpg' (.*), 'b/empty.jpg' (.*)`),
  );
  const found = await open({ unreadable: 'skip' });
  expect(paths(found)).toEqual(['a/good.jpg', 'b/good.jpg']);
  expect(found.report.unreadable.map(({ path }) => path)).toEqual(['a/cut.jpg', 'b/empty.jpg']);
  expect(said).toContain('  2 unreadable, left out:');

  write(root, { 'b/good.jpg': 'no image any more' });
  await expect(open({ unreadable: 'skip' })).rejects.toThrow(`class 'b' of '${root}' has no image that can be read`);
});

test('an empty class, no classes, no folder: refused by name', async () => {
  write(root, { 'a/1.jpg': image, 'b/notes.txt': 'nothing here' });
  await expect(open()).rejects.toThrow(`class 'b' of '${root}' has no image in 'b'`);
  mkdirSync(join(root, 'c'));
  await expect(open({ split: 'c' })).rejects.toThrow(`'${root}/c' has no folders of classes`);
  await expect(open({ folder: join(root, 'none') })).rejects.toThrow('there is no folder');
});

test('a link inside is followed; one that leads out, or nowhere, is refused and named', async () => {
  const outside = newFolder();
  write(outside, { 'x.jpg': image });
  write(root, { 'a/1.jpg': image, 'b/2.jpg': image });
  symlinkSync('../b/2.jpg', join(root, 'a/3.jpg'));
  expect((await open()).size).toBe(3);

  symlinkSync(join(outside, 'x.jpg'), join(root, 'a/4.jpg'));
  await expect(open()).rejects.toThrow(`'${root}/a/4.jpg' leads out of the folder, to '${outside}/x.jpg'`);
});

test('a list that leads out of the folder is refused', async () => {
  const outside = newFolder();
  write(outside, { 'x.jpg': image });
  write(root, { 'TrainImages.txt': `../../${basename(outside)}/x.jpg\n`, 'Images/a/1.jpg': image });
  await expect(open()).rejects.toThrow(`leads out of the folder, to '${outside}'`);
});

test('links in a circle end', async () => {
  write(root, { 'a/1.jpg': image });
  symlinkSync('..', join(root, 'a/up'));
  await expect(open()).rejects.toThrow(`'${root}/a/up' leads out of the folder, to '${root}'`);
});

test('links to a folder above, inside, end too', async () => {
  write(root, { 'a/deep/1.jpg': image });
  symlinkSync('..', join(root, 'a/deep/up'));
  await expect(open()).rejects.toThrow(`'${root}' goes deeper than 16 folders: 'a/deep/up/deep/up`);
});

test('opened once: a file again where its size, times or inode changed, and all where asked to; an altered cache is made anew', async () => {
  write(root, { 'a/1.jpg': image, 'a/2.jpg': image });
  const first = await open();
  utimesSync(join(root, 'a/1.jpg'), 1000, 1000);
  await open();
  const cached = join(root, '.cache/image-folders');
  const [file] = readdirSync(cached) as [string];
  const before = statSync(join(cached, file));
  expect(await open()).toEqual(first);
  expect(statSync(join(cached, file)).ino).toBe(before.ino); // nothing was opened, so nothing was written
  vi.stubEnv('WEIR_READ_ALL', '1');
  expect(await open()).toEqual(first);
  expect(statSync(join(cached, file)).ino).not.toBe(before.ino);
  vi.stubEnv('WEIR_READ_ALL', '');
  write(root, { 'a/1.jpg': Buffer.alloc(image.length) }); // another one of the same size and time of contents
  utimesSync(join(root, 'a/1.jpg'), 1000, 1000);
  await expect(open()).rejects.toThrow("'a/1.jpg'");
  write(root, { 'a/1.jpg': image });
  expect(await open()).toEqual(first);
  const cache = join(root, '.cache/image-folders');
  for (const name of readdirSync(cache)) writeFileSync(join(cache, name), readFileSync(join(cache, name)).subarray(1));
  expect(await open()).toEqual(first);
});

test('read by every ending of what is read; other files are counted by theirs, and images beside the classes', async () => {
  const bmp = Buffer.from(
    'Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAADEDgAAxA4AAAAAAAAAAAAACg8UHgoPFB4AAAoPFB4KDxQeAAA=',
    'base64',
  );
  write(root, { 'a/1.jfif': image, 'a/2.JPE': image, 'a/3.bmp': bmp, 'a/4.avif': image, 'beside.jpg': image });
  write(root, { 'a/5.ppm': 'P6', 'a/6.heic': '', 'a/7.ppm': '', 'a/README': '', 'a/.hidden.ppm': '' });
  const found = await open();
  expect(paths(found)).toEqual(['a/1.jfif', 'a/2.JPE', 'a/3.bmp', 'a/4.avif']);
  expect(found.report.passedOver).toEqual([
    { what: 'images outside of class folders', files: 1 },
    { what: '.ppm', files: 2 },
    { what: '.heic', files: 1 },
    { what: 'without an ending', files: 1 },
  ]);
  expect(said).toContain(
    '  5 files passed over: 1 images outside of class folders, 2 .ppm, 1 .heic, 1 without an ending; convert images of other kinds to PNG',
  );
  write(root, { 'b/1.pgm': 'P5' });
  await expect(open()).rejects.toMatchObject({
    message: `class 'b' of '${root}' has no image in 'b' but of kinds that are not read: .ppm, .heic, .pgm`,
    remedy: 'convert them to PNG',
  });
});

test.runIf(process.platform === 'linux')('names of Latin-1 bytes are read, and shown by their bytes', async () => {
  const latin1 = (name: string): Buffer => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
  mkdirSync(latin1('caf\xe9'));
  writeFileSync(latin1('caf\xe9/\xe9t\xe9.jpg'), image);
  write(root, { 'thé/1.jpg': image });
  const found = await open();
  expect(found.classes).toEqual(['caf\\xe9', 'thé']);
  expect(found.size).toBe(2);
  expect(nameOf(found.images, 0)).toBe("'caf\\xe9/\\xe9t\\xe9.jpg'");
  expect(await readImage(found.images, 0)).toMatchObject({ height: 6, width: 8 });

  writeFileSync(latin1('caf\xe9/\xe8.jpg'), 'no image');
  await expect(open()).rejects.toThrow("'caf\\xe9/\\xe8.jpg' (");
  expect((await open({ unreadable: 'skip' })).report.unreadable[0]!.path).toBe('caf\\xe9/\\xe8.jpg');
});

test('class folders that are links to elsewhere: refused with the option that follows, and followed with it', async () => {
  const outside = newFolder();
  write(outside, { 'x/1.jpg': image, 'y/2.jpg': image });
  for (const name of ['x', 'y']) symlinkSync(join(outside, name), join(root, name));
  await expect(open()).rejects.toMatchObject({
    message: `'${root}/x' leads out of the folder, to '${outside}/x'`,
    remedy: expect.stringContaining('`--set links=follow`'),
  });
  const found = await open({ links: 'follow' });
  expect(paths(found)).toEqual(['x/1.jpg', 'y/2.jpg']);
  expect(await readImage(found.images, 1)).toMatchObject({ height: 6, width: 8 });

  write(root, { 'TrainImages.txt': `../../${basename(outside)}/x/1.jpg\n` });
  await expect(open({ links: 'follow' })).rejects.toThrow(`names 'Images/../../${basename(outside)}/x/1.jpg'`);
});

test('unreadable images: the remedy is a setting', async () => {
  write(root, { 'a/1.jpg': image, 'a/2.jpg': 'no image' });
  await expect(open()).rejects.toMatchObject({ remedy: expect.stringContaining('`--set unreadable=skip`') });
});

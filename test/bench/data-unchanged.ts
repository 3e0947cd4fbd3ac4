import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { inputOf } from '../../src/data/dataset.js';
import { imageFolder } from '../../src/data/datasets/image-folder/image-folder.js';

const most = 5; // seconds

/**
 * The time of a check that a folder of image files is unchanged: listing, sizes, times,
 * inodes, and the fingerprint. `npm run bench -- data-unchanged [FILES]`, by default 100,000 files of 100 classes.
 */
export async function bench([files = '100000']: string[]): Promise<boolean> {
  const count = Number(files);
  const root = mkdtempSync(join(tmpdir(), 'weir-unchanged-'));
  process.env.WEIR_CACHE = join(root, 'cache');
  try {
    const image = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#345' } })
      .jpeg()
      .toBuffer();
    for (let i = 0; i < count; i++) {
      const folder = join(root, 'images', `class-${i % 100}`);
      if (i < 100) mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${i}.jpg`), image);
    }
    const inspect = async (): Promise<[seconds: number, images: string, busy: number]> => {
      const begun = performance.now();
      const before = process.cpuUsage();
      const set = await imageFolder({ folder: join(root, 'images'), verify: 'header', say: () => undefined });
      const { properties } = inputOf(set).fingerprint();
      const { user, system } = process.cpuUsage(before);
      return [(performance.now() - begun) / 1000, JSON.stringify(properties), (user + system) / 1e6];
    };
    const [first, known] = await inspect();
    const again = [await inspect(), await inspect(), await inspect()];
    if (again.some(([, properties]) => properties !== known))
      throw new Error('the fingerprint of an unchanged folder has changed');
    const seconds = again.map(([took]) => took).sort((a, b) => a - b)[1]!;
    const busy = again.map(([, , took]) => took).sort((a, b) => a - b)[1]!;
    const load = readFileSync('/proc/loadavg', 'latin1').split(' ')[0];
    console.log(
      `${count} files: ${first.toFixed(1)} s when first read, ${seconds.toFixed(2)} s unchanged, ${busy.toFixed(2)} s of processor time (load ${load})`,
    );
    console.log(`data-unchanged ratio ${(most / seconds).toFixed(2)} (reach 1.00)`);
    return seconds <= most;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

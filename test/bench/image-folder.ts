import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomResizedCrop } from '../../src/data/augment/ops/crop.js';
import { horizontalFlip } from '../../src/data/augment/ops/horizontal-flip.js';
import { normalize, unitScale } from '../../src/data/augment/ops/normalize.js';
import { AugmentPool } from '../../src/data/augment/pool.js';
import { imagenetStatistics } from '../../src/data/augment/recipes.js';
import type { ImageDataset } from '../../src/data/dataset.js';
import { imageFolder } from '../../src/data/datasets/image-folder/image-folder.js';
import { type FileImages, pathOf } from '../../src/data/images/reader.js';
import { permutation } from '../../src/data/loader.js';
import { packed, packImages } from '../../src/data/pack.js';
import { shared } from '../golden.js';
import { compare, median, pythonPeer, type Side } from './compare.js';

const threads = 2;
const block = 32; // a batch: it goes from its thread to training without a copy
const size = 224;
const folders = ['imagenette10', 'flowers17_12'].map((name) => join(shared, 'data', name, 'train'));
const recipe = [randomResizedCrop({ size }), horizontalFlip(), unitScale(), normalize(imagenetStatistics)];

/**
 * JPEG folders to training crops of 224 pixels on two worker threads, against torchvision's ImageFolder in a DataLoader with two workers:
 * from the folders, and from packs of their pixels (`weir pack --raw`). With `memory [FILES] [EPOCHS]`, whether
 * ten epochs over 100,000 images stay flat.
 */
export async function bench([mode, files, times]: string[]): Promise<boolean> {
  if (mode === 'memory') return memory(Number(files ?? 100_000), Number(times ?? 10));
  const scratch = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const pool = new AugmentPool({ threads });
  try {
    const datasets = await Promise.all(folders.map((folder) => imageFolder({ folder })));
    const packs = datasets.map((_, i) => join(scratch, `${i}.weirpack`));
    for (const [i, dataset] of datasets.entries()) await packImages(dataset, packs[i]!, { raw: true });
    const count = datasets.reduce((sum, { size }) => sum + size, 0);
    const python = await pythonPeer('image_folder.py', [...[size, threads, block].map(String), ...folders]);
    const peer: Side =
      python === undefined
        ? { name: 'no peer', round: () => Number.NaN }
        : { name: python.ready, round: async () => (await python.ask('round')).seconds };
    const side = (name: string, from: readonly ImageDataset[]): Side => ({
      name: `Weir, ${name} (${threads} worker threads)`,
      async round(epoch) {
        const begun = performance.now();
        for (const dataset of from) await pass(pool, dataset, epoch + 1);
        return (performance.now() - begun) / 1e3;
      },
    });
    const work = { amount: count, unit: 'images' };
    const settings = { peer, rounds: 7, warmUp: 1, work };
    const plain = await compare({ name: 'image-folder', ours: side('files', datasets), reach: 1.5, ...settings });
    const ours = side('packed pixels', packs.map(packed));
    const fast = await compare({ name: 'image-folder-packed', ours, reach: 3, ...settings });
    python?.close();
    return plain.reached && fast.reached;
  } finally {
    await pool.close();
    rmSync(scratch, { recursive: true });
  }
}

/** Every image of a data set once, in the order of an epoch, every thread with its next block queued. */
async function pass(pool: AugmentPool, dataset: ImageDataset, epoch: number): Promise<void> {
  const order = permutation(dataset.size, 0, epoch);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < dataset.size) {
      const first = next;
      next += block;
      const length = Math.min(block, dataset.size - first);
      const indices = Uint32Array.from({ length }, (_, i) => order(first + i));
      await pool.run({ dataset, indices, epoch, recipes: [recipe], seed: 0 });
    }
  };
  await Promise.all(Array.from({ length: threads + 1 }, lane));
}

/**
 * Ten epochs over 100,000 files, the photographs linked many times over: no slope of the resident memory beyond its noise (Theil-Sen over
 * all but the first epoch, against the spread about it). Crops are of 32 pixels, for the time it takes; every file is read and decoded.
 */
async function memory(many: number, epochs: number): Promise<boolean> {
  const scratch = mkdtempSync(join(process.env.WEIR_SCRATCH ?? tmpdir(), 'weir-bench-'));
  const pool = new AugmentPool({ threads });
  try {
    const own = await imageFolder({ folder: folders[1]! });
    const files = Array.from({ length: own.size }, (_, i) => pathOf(own.images as FileImages, i));
    const target = (i: number): string => join(scratch, files[i % files.length]!.replace('/', `/${i}-`));
    for (let i = 0; i < many; i++) {
      if (i >= files.length) linkSync(target(i % files.length), target(i));
      else {
        mkdirSync(dirname(target(i)), { recursive: true });
        copyFileSync(join(folders[1]!, files[i]!), target(i)); // links do not reach another disk
      }
    }
    const dataset = await imageFolder({ folder: scratch, verify: 'header' });
    const small = [randomResizedCrop({ size: 32 }), horizontalFlip(), unitScale()];
    const resident: number[] = [];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const order = permutation(dataset.size, 0, epoch);
      for (let first = 0; first + 2500 <= dataset.size; first += 2500) {
        const blocks = Array.from({ length: 50 }, (_, b) =>
          Uint32Array.from({ length: 50 }, (_, i) => order(first + 50 * b + i)),
        );
        await Promise.all(blocks.map((indices) => pool.run({ dataset, indices, epoch, recipes: [small], seed: 0 })));
        resident.push(process.memoryUsage.rss() / 2 ** 20);
      }
      console.log(`epoch ${epoch}: ${resident.at(-1)!.toFixed(0)} MiB resident`);
    }
    const settled = resident.slice(resident.length / epochs);
    const slope = median(settled.flatMap((y, i) => settled.slice(i + 1).map((z, j) => (z - y) / (j + 1))));
    const away = settled.map((y, i) => y - settled[0]! - slope * i);
    const noise = Math.max(...away) - Math.min(...away);
    const risen = slope * settled.length;
    console.log(
      `over ${epochs - 1} epochs ${risen.toFixed(1)} MiB by slope, ${noise.toFixed(1)} MiB of noise about it`,
    );
    const flat = risen <= Math.max(noise, 2);
    console.log(`image-folder-memory ratio ${flat ? '1.00' : '0.00'} (reach 1.00)`);
    return flat;
  } finally {
    await pool.close();
    rmSync(scratch, { recursive: true });
  }
}

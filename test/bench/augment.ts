import { keyed } from '../../src/core/seed.js';
import { AugmentPool } from '../../src/feed/augment/pool.js';
import { barlowRecipes } from '../../src/feed/augment/recipes/barlow.js';
import { type Dataset, sharedBytes } from '../../src/feed/dataset.js';
import { compare, pythonPeer, type Side } from './compare.js';

const threads = 2;
const count = 4096; // images a round
const block = 256;
const reach = 8;

/** Smooth noise in CIFAR-10's shape: bytes that are not all alike, whose neighbours are. */
function images(): Dataset {
  const values = sharedBytes(count * 3072);
  const random = keyed(0, 'bench/images');
  let level = 128;
  for (let i = 0; i < values.length; i++) {
    level = Math.min(255, Math.max(0, level + random.integer(61) - 30));
    values[i] = level;
  }
  return { name: 'noise', size: count, sampleShape: [32, 32, 3], classes: ['a'], values, labels: sharedBytes(count) };
}

/**
 * Two Barlow Twins views of images of CIFAR-10's size on two worker threads, against torchvision in a DataLoader with two workers: its
 * transforms on Pillow's images, as the authors have them, and those of v2 on tensors, image by image. The better one counts.
 */
export async function bench(): Promise<boolean> {
  const dataset = images();
  const recipes = barlowRecipes();
  const pool = new AugmentPool({ threads });
  const ours: Side = {
    name: `Weir (${threads} worker threads)`,
    async round(epoch) {
      const begun = performance.now();
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < count) {
          const indices = Uint32Array.from({ length: block }, (_, i) => next + i);
          next += block;
          await pool.run({ dataset, indices, epoch: epoch + 1, recipes, seed: 0 });
        }
      };
      await Promise.all(Array.from({ length: threads + 1 }, lane)); // every thread has the next block queued
      return (performance.now() - begun) / 1e3;
    },
  };
  const work = { amount: count, unit: 'images (two views each)' };
  const ratios: number[] = [];
  for (const mode of ['pil', 'tensor']) {
    const python = await pythonPeer('augment.py', [mode, String(count), String(threads)]);
    const peer: Side =
      python === undefined
        ? { name: 'nobody', round: () => Number.NaN }
        : { name: python.ready, round: async () => (await python.ask('round')).seconds, close: python.close };
    ratios.push((await compare({ name: `augment-${mode}`, ours, peer, reach, rounds: 5, warmUp: 1, work })).ratio);
  }
  await pool.close();
  const ratio = Math.min(...ratios);
  console.log(`augment ratio ${ratio.toFixed(2)} (reach ${reach.toFixed(2)})`);
  return ratio >= reach;
}

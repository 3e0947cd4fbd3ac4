import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { views } from '../../src/data/augment/augment.js';
import { barlowRecipes } from '../../src/data/augment/recipes.js';
import { batch, type Samples } from '../../src/data/batch.js';
import { cifar10 } from '../../src/data/datasets/cifar10.js';
import { loader } from '../../src/data/loader.js';
import type { Positioned } from '../../src/flow/data.js';
import { serial } from '../../src/flow/serial.js';
import { shared } from '../golden.js';
import { compare, pythonPeer, type Side } from './compare.js';
import { trained } from './sides/trained.js';

const threads = 2;
const size = 256;
/** Batches that may be made while a round is not running: more than the stream holds. */
const ahead = 12;
/** Batches after which the stream may be held. */
const step = 4;
const reach = 8;
const rounds = Number(process.env.WEIR_ROUNDS ?? 7);
/** Images a round: the peers need longer for as many, and a rate is compared. */
const images = { ours: 40 * size, peer: 8 * size };

/**
 * Two Barlow Twins views of CIFAR-10 in batches of 256, from a data set in memory to normalized floats, images a second on two
 * threads: against torchvision's transforms on Pillow images and against transforms v2 on tensors, each in a DataLoader with two
 * workers. The last line holds the smaller ratio.
 */
export async function bench(): Promise<boolean> {
  const folder = process.env.WEIR_CIFAR10 ?? join(shared, 'data/cifar10');
  const file = ['data_batch_1.bin', 'data_batch_1.bin.gz'].map((name) => join(folder, name)).find(existsSync);
  if (file === undefined) {
    console.log(`'${folder}' has no data_batch_1.bin of CIFAR-10: name another folder in WEIR_CIFAR10`);
    return false;
  }
  const ours = side(folder);
  const work = { amount: images.ours, unit: 'images' };
  const measured: { kind: string; ratio: number }[] = [];
  for (const kind of ['pil', 'tensor']) {
    const python = await pythonPeer('augment.py', [kind, file, ...[images.peer, size, threads].map(String)]);
    const peer: Side =
      python === undefined
        ? { name: 'no peer', round: () => Number.NaN }
        : {
            name: python.ready,
            round: async () => ((await python.ask('round')).seconds * images.ours) / images.peer,
            close: python.close,
          };
    const side = { ...ours, close: undefined };
    const { ratio } = await compare({ name: `augment-${kind}`, ours: side, peer, reach, rounds, warmUp: 1, work });
    measured.push({ kind, ratio });
  }
  ours.close?.();
  const ratio = Math.min(...measured.map(({ ratio }) => ratio));
  console.log(measured.map(({ kind, ratio }) => `${ratio.toFixed(2)} × torchvision on ${kind}`).join(', '));
  console.log(`augment ratio ${ratio.toFixed(2)} (reach ${reach.toFixed(2)})`);
  return ratio >= reach;
}

/**
 * Our side: an endless stream, held between rounds. What was made ahead while it was held is taken before the clock starts, so a
 * round counts only batches that are made in it.
 */
function side(data: string): Side {
  const { train } = cifar10({ data, train: 10_000 });
  const taken$ = loader(train, { epochs: 1_000_000, seed: 0 }).pipe(
    views(barlowRecipes(), { seed: 0, threads }),
    batch(size),
    serial<Samples, Positioned, null>({
      name: 'take',
      start: () => null,
      repeat: () => ({ position: 0 }),
      next: (none, { position }) => [none, { position }],
    }),
  );
  const { name, round, close } = trained(`Weir, ${threads} worker threads`, taken$, step);
  const take = async (count: number): Promise<number> => {
    let seconds = 0;
    for (let i = 0; i < count; i += step) seconds += await round(i);
    return seconds;
  };
  return {
    name,
    async round() {
      await take(ahead);
      return take(images.ours / size);
    },
    close,
  };
}

import { tap } from 'rxjs';
import { Flow } from '../../src/flow/flow.js';
import * as weir from '../../src/index.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { machine, median } from './compare.js';
import { realImages } from './sides/on-cifar10.js';

const size = 256;
const skipped = 5; // updates in which threads start and queues fill
const reach = 0.01;

/**
 * How long the training step waits for its batch in a Barlow Twins run on real images (two views, two worker threads): the time from
 * the end of a step until the next batch is there, as a part of the whole. `npm run bench -- data-wait [WIDTH] [UPDATES]`.
 */
export async function bench([width = '16', updates = '60']: string[]): Promise<boolean> {
  await loadTensorFlow();
  const data = realImages();
  if (data === undefined) return false;
  console.log(machine());
  const inputSize = [32, 32] as const;
  const backbone = weir.resnet({ depth: 18, width: Number(width), stem: 'cifar', inputSize, classes: 10 });
  const model = weir.projected(backbone, { outputs: 128, bias: false });
  const waits: number[] = [];
  const whole: number[] = [];
  let ended = performance.now();
  let last = ended;
  const updates$ = weir.loader(data, { epochs: 1000, seed: 0, block: size }).pipe(
    weir.views(weir.barlowRecipes(), { seed: 0, threads: 2 }),
    weir.batch(size, { partial: 'drop' }),
    tap(() => waits.push(performance.now() - ended)),
    weir.train(model, { loss: weir.barlowTwins(), optimizer: weir.sgd({ rate: 0.01, momentum: 0.9 }), seed: 0 }),
    tap(() => {
      ended = performance.now();
      whole.push(ended - last);
      last = ended;
      if (whole.length >= Number(updates) + skipped) flow.stop();
    }),
  );
  const flow = new Flow({ updates$ });
  await flow.start();
  const waited = waits.slice(skipped, whole.length).reduce((sum, wait) => sum + Math.max(0, wait), 0);
  const took = whole.slice(skipped).reduce((sum, time) => sum + time, 0);
  const part = waited / took;
  console.log(
    `${whole.length - skipped} updates of ${size} images, ${(took / 1e3).toFixed(1)} s, ${median(whole.slice(skipped)).toFixed(0)} ms each; the step waited ${waited.toFixed(0)} ms for its batches`,
  );
  console.log(`data-wait part ${(100 * part).toFixed(2)} % (reach ${100 * reach} %)`);
  return part <= reach;
}

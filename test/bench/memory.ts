import { Flow } from '../../src/flow/flow.js';
import * as weir from '../../src/index.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { courseOf } from './sides/flat.js';
import { collectGarbage } from './sides/garbage.js';

/**
 * Memory over 10,000 updates of a small network with its ticks, tests and taps: as many live tensors at the end as at update 100,
 * and no slope of the resident memory beyond its noise (Theil-Sen over the second half, against the spread about it).
 */
const updates = 10_000;
const every = 100;

export async function bench(): Promise<boolean> {
  await loadTensorFlow();
  const { train, test } = weir.mnist();
  const model = weir.mlp([784, 32, 10]);
  const regularizer = weir.spectralRegularizer('rep-spectral', model, { gamma: 0.01 });
  const epochs = Math.ceil(updates / Math.ceil(train.size / 64));
  const tensors: number[] = [];
  const resident: number[] = [];
  let seen = -1;
  const updates$ = weir.loader(train, { epochs, seed: 0 }).pipe(
    weir.augment([weir.unitScale()], { seed: 0 }),
    weir.batch(64),
    weir.tap('batches', { keep: 'latest' }, () => undefined),
    weir.train(model, {
      loss: weir.crossEntropy(),
      optimizer: weir.sgd({ rate: 0.1, momentum: 0.9 }),
      regularizer,
      seed: 0,
    }),
  );
  const ticks$ = updates$.pipe(weir.every({ updates: 1 }), weir.spectralTick(regularizer));
  const tests$ = updates$.pipe(weir.every({ updates: 500 }), weir.accuracy(model, test));
  const flow = new Flow({ updates$, ticks$, tests$ }, (at) => {
    if (++seen % every !== 0 || seen === 0) return;
    collectGarbage();
    tensors.push(tf.memory().numTensors);
    resident.push(process.memoryUsage.rss() / 2 ** 20);
    if (seen >= updates) at.stop();
  });
  await flow.start();

  const { risen, noise, flat: level } = courseOf(resident, 2);
  console.log(`live tensors: ${tensors[0]} at update ${every}, ${tensors.at(-1)} at update ${every * tensors.length}`);
  console.log(
    `resident: ${resident[0]!.toFixed(0)} MiB at first, ${resident.at(-1)!.toFixed(0)} MiB at last; over the second half ${risen.toFixed(1)} MiB by slope, ${noise.toFixed(1)} MiB of noise about it`,
  );
  const flat = tensors[0] === tensors.at(-1) && level;
  console.log(`memory ratio ${flat ? '1.00' : '0.00'} (reach 1.00)`);
  return flat;
}

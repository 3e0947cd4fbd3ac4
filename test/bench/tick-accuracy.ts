import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { type ConvLayer, weight } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { type SpectralOptions, spectralRegularizer } from '../../src/learn/regularizer/spectral.js';
import { exactSigma } from '../../src/learn/spectral/exact.js';
import { trainStage } from '../../src/learn/train.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { machine, median } from './compare.js';
import { realImages, trainOn } from './sides/on-cifar10.js';

const cadence = 24; // updates a tick
const settled = 10; // ticks that do not count
const reach = 0.01;

/** How ticks find the directions; the regularizer uses the first, the others are computed beside it. */
const ways = { krylov: {}, power: { directions: 'power' }, image: { formulation: 'image' } } satisfies {
  [way: string]: Partial<SpectralOptions>;
};

/**
 * How far σ of the ticks lies below the exact one while ResNet-18 trains on real images with rep-spectral from the first update on, a
 * tick every 24 updates. All are begun alike, from random directions until σ rests. `npm run bench -- tick-accuracy [WIDTH] [TICKS]`.
 */
export async function bench([width = '32', ticks = '25']: string[]): Promise<boolean> {
  await loadTensorFlow();
  const data = realImages();
  if (data === undefined) return false;
  console.log(machine());
  const model = resnet({ depth: 18, width: Number(width), stem: 'cifar', inputSize: [32, 32], classes: 10 });
  const sides = Object.entries(ways).map(([way, options]) => ({
    way,
    regularizer: spectralRegularizer('rep-spectral', model, { gamma: 0.01, ...options }),
    milliseconds: [] as number[],
    errors: [] as number[],
    layers: [] as string[],
  }));
  const [{ regularizer }] = sides as [(typeof sides)[0], ...typeof sides];
  regularizer.ticked = true;
  const optimizer = sgd({ rate: 0.01, momentum: 0.9, decay: 1e-4 });
  const stage = trainStage(model, { loss: crossEntropy(), optimizer, regularizer, seed: 0 });
  let tick = 0;
  const state = trainOn(data, stage, cadence * Number(ticks), ({ number, weights, loss }) => {
    if (number % cadence !== 0) return;
    tick++;
    const exact = (model.featureLayers as readonly ConvLayer[]).map(({ name, kernel, stride, inputSize }) => {
      const [height, width] = inputSize;
      return { name, sigma: exactSigma(weight<tf.Tensor4D>(weights, kernel), { height, width, stride }).sigma };
    });
    for (const { regularizer, milliseconds, errors, layers } of sides) {
      const begun = performance.now();
      regularizer.newest =
        regularizer.newest === undefined
          ? regularizer.begin(weights)
          : regularizer.iterate(regularizer.newest, weights);
      milliseconds.push(performance.now() - begun);
      const off = exact.map(({ name, sigma }) => ({
        name,
        error: Math.abs(1 - regularizer.newest![name]!.sigma / sigma),
      }));
      const worst = off.reduce((most, one) => (one.error > most.error ? one : most));
      errors.push(worst.error);
      layers.push(worst.name);
    }
    const off = sides
      .map(({ way, errors, layers }) => `${way} ${percent(errors.at(-1)!)} (${layers.at(-1)})`)
      .join(', ');
    console.log(`tick ${tick}, loss ${loss().toFixed(3)}, furthest from the exact σ: ${off}`);
  });
  stage.dispose(state);
  for (const { way, milliseconds, errors } of sides) {
    const worst = Math.max(...errors.slice(settled));
    console.log(`${way}: ${median(milliseconds).toFixed(1)} ms a tick, after the tenth ${percent(worst)} at most`);
  }
  console.log(`${tf.memory().numTensors} tensors live`);
  const worst = Math.max(...sides[0]!.errors.slice(settled));
  console.log(`tick-accuracy error ${percent(worst)} (reach ${percent(reach)})`);
  return worst <= reach;
}

const percent = (part: number): string => `${(100 * part).toFixed(3)} %`;

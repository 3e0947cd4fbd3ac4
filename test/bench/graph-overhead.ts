import { Flow } from '../../src/core/flow.js';
import { keyed } from '../../src/core/seed.js';
import { augment } from '../../src/feed/augment/augment.js';
import { unitScale } from '../../src/feed/augment/op/unit-scale.js';
import { render } from '../../src/feed/augment/render.js';
import { batch } from '../../src/feed/batch.js';
import { type Dataset, sharedBytes } from '../../src/feed/dataset.js';
import { draw } from '../../src/feed/draw.js';
import { permutation } from '../../src/feed/permutation.js';
import { loadTensorFlow } from '../../src/learn/device/tf.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { train } from '../../src/learn/operators.js';
import { sgd } from '../../src/learn/optimiser/sgd.js';
import { type TrainStage, trainStage } from '../../src/learn/train.js';
import { compare, median, type Side, spread } from './compare.js';

/**
 * What the graph costs: the MNIST training step (784-2000-10, batch 1024) through draw, augment, batch and train, against the
 * same draws, scaling and steps in a bare `for` loop. Both keep going from round to round; the target is 3 % or less.
 */
const size = 1024;
const updates = 6; // a round
const rounds = 25;

function images(): Dataset {
  const values = sharedBytes(60_000 * 784);
  const random = keyed(0, 'bench');
  for (let i = 0; i < values.length; i += 1 + random.integer(8)) values[i] = random.uint32() & 255;
  const labels = sharedBytes(60_000);
  for (let i = 0; i < labels.length; i++) labels[i] = random.integer(10);
  return { name: 'noise', size: 60_000, sampleShape: [28, 28, 1], classes: [...'0123456789'], values, labels };
}

const training = { loss: crossEntropy(), optimiser: sgd({ rate: 0.1, momentum: 0.9, decay: 1e-4 }), seed: 0 };
const model = () => mlp([784, 2000, 10]);

/** Draws, scales and trains, one after the other. */
function bare(dataset: Dataset): Side {
  const stage: TrainStage = trainStage(model(), training);
  let state = stage.start();
  return {
    name: 'bare loop',
    round() {
      const begun = performance.now();
      for (let i = 0; i < updates; i++) {
        const first = state.position % (58 * size);
        const order = permutation(dataset.size, 0, 1);
        const indices = Uint32Array.from({ length: size }, (_, at) => order(first + at));
        const values = render(dataset, indices, [unitScale()], { seed: 0, epoch: 1, view: 0 });
        const labels = Uint8Array.from(indices, (index) => dataset.labels[index]!);
        const position = state.position + size;
        const given = { position, epoch: 1, remaining: 1, sampleShape: [28, 28, 1], values, labels };
        [state] = stage.next(state, given);
      }
      state.loss.dataSync();
      return (performance.now() - begun) / 1000;
    },
  };
}

/** The same as a graph that is held between rounds, where it is at rest. */
function graph(dataset: Dataset): Side {
  let resting: () => void = () => undefined;
  let goOn: () => void = () => undefined;
  let rest = new Promise<void>((resolve) => {
    resting = resolve;
  });
  let count = -1; // update 0 comes first
  const updates$ = draw(dataset, { epochs: 1000, seed: 0 }).pipe(
    augment([unitScale()], { seed: 0 }),
    batch(size),
    train(model(), training),
  );
  const flow = new Flow({ updates$ }, () => {
    if (++count % updates !== 0) return undefined;
    resting();
    return new Promise<void>((resolve) => {
      goOn = resolve;
    });
  });
  const ended = flow.start();
  return {
    name: 'graph',
    async round() {
      await rest;
      rest = new Promise<void>((resolve) => {
        resting = resolve;
      });
      const begun = performance.now();
      goOn();
      await rest;
      return (performance.now() - begun) / 1000;
    },
    close() {
      flow.stop();
      goOn();
      void ended;
    },
  };
}

export async function bench(): Promise<boolean> {
  await loadTensorFlow();
  const dataset = images();
  const work = { amount: updates * size, unit: 'images' };
  const sides = { ours: graph(dataset), peer: bare(dataset) };
  const { ours, peer, reached } = await compare({ name: 'graph-overhead', ...sides, reach: 0.97, rounds, work });
  const extra = ours.map((time, i) => 100 * (time / peer[i]! - 1));
  console.log(
    `the graph costs ${median(extra).toFixed(1)} % of a step; by round ${spread(extra, (x) => `${x.toFixed(1)} %`)}`,
  );
  const ratio = median(peer) / median(ours);
  console.log(`graph-overhead ratio ${ratio.toFixed(2)} (reach 0.97)`);
  return reached;
}

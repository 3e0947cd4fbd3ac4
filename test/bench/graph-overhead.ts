import { unitScale } from '../../src/data/augment/ops/normalize.js';
import { lightSamples } from '../../src/data/augment/rendered-dataset.js';
import type { Dataset } from '../../src/data/dataset.js';
import { permutation } from '../../src/data/loader.js';
import { type TrainStage, trainStage } from '../../src/learn/train.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { compare, median, type Side, spread } from './compare.js';
import { graph, images, model, size, training } from './sides/mnist.js';

/**
 * The cost of the graph: the MNIST training step (784-2000-10, batch 1024) through loader, augment, batch and train, against the
 * same order, scaling and steps in a bare `for` loop. Both keep going from round to round; the target is 3 % or less, by the median of pairs.
 * `graph-overhead cpu` counts the processor's time in the place of the clock's, for a machine that others use too.
 */
const updates = 4; // a round
const rounds = 61;

/** Takes samples in order, scales them and trains, one after the other. */
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
        const values = lightSamples(dataset, indices, [unitScale()]);
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

/** Seconds that the processor works on a side, in all threads of the process. */
const byProcessor = (side: Side): Side => ({
  ...side,
  async round(round) {
    const begun = process.cpuUsage();
    await side.round(round);
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1e6;
  },
});

export async function bench([option]: readonly string[]): Promise<boolean> {
  await loadTensorFlow();
  const dataset = images();
  const work = { amount: updates * size, unit: 'images' };
  const timed = (side: Side): Side => (option === 'cpu' ? byProcessor(side) : side);
  const sides = { ours: timed(graph('graph', dataset, updates)), peer: timed(bare(dataset)) };
  const { ours, peer } = await compare({ name: 'graph-overhead', ...sides, reach: 0.97, rounds, work });
  const extra = ours.map((time, i) => 100 * (time / peer[i]! - 1));
  console.log(
    `the graph costs ${median(extra).toFixed(1)} % of a step; by round ${spread(extra, (x) => `${x.toFixed(1)} %`)}`,
  );
  const ratio = median(peer.map((time, i) => time / ours[i]!)); // of pairs: other load on the machine slows both of one
  console.log(`graph-overhead ratio ${ratio.toFixed(2)} (reach 0.97)`);
  return ratio >= 0.97;
}

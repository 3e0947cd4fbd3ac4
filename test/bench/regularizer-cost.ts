import { keyed } from '../../src/flow/random.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { type SpectralKind, spectralRegularizer } from '../../src/learn/regularizer/spectral.js';
import { spectralTick } from '../../src/learn/spectral/stages.js';
import { type Batch, trainStage } from '../../src/learn/train.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { compare, median, type Side, spread } from './compare.js';

/**
 * The cost of rep-spectral: ResNet-18 (CIFAR, batch 64) with the regularizer at every update and its directions refreshed every
 * 24 updates, against the same training without it. Both keep going from round to round; the target is 3 % or less.
 */
const cadence = 24; // updates a round, one tick among them
const rounds = 7;
const size = 64;

/** A batch of noise with labels: the time does not depend on its values. */
function noise(): Batch {
  const random = keyed(0, 'bench/noise');
  const values = Float32Array.from({ length: size * 32 * 32 * 3 }, () => random.normal());
  const labels = Uint8Array.from({ length: size }, (_, i) => i % 10);
  return { position: size, epoch: 1, remaining: size, sampleShape: [32, 32, 3], values, labels };
}

function side(kind: SpectralKind): Side {
  const model = resnet({ depth: 18, stem: 'cifar', inputSize: [32, 32], classes: 10 });
  const regularizer = spectralRegularizer(kind, model, { gamma: 0.01, seed: 0 });
  const train = trainStage(model, {
    loss: crossEntropy(),
    optimizer: sgd({ rate: 0.01, momentum: 0.9 }),
    regularizer,
    seed: 0,
  });
  const tick = spectralTick(regularizer);
  const batch = noise();
  let state = train.start();
  let spectrum = tick.start();
  return {
    name: kind,
    round() {
      const begun = performance.now();
      for (let i = 0; i < cadence; i++) {
        const [next, update] = train.next(state, { ...batch, position: state.position + size });
        state = next;
        if (i === 0 && kind !== 'none') {
          const step = tick.next(spectrum, update);
          if (!Array.isArray(step)) throw new Error('a tick is one step');
          spectrum = step[0];
        }
      }
      state.loss.dataSync();
      return (performance.now() - begun) / 1000;
    },
  };
}

export async function bench(): Promise<boolean> {
  await loadTensorFlow();
  const work = { amount: cadence * size, unit: 'images' };
  const sides = { ours: side('rep-spectral'), peer: side('none') };
  const { ours, peer, reached } = await compare({
    name: 'regularizer-cost',
    ...sides,
    reach: 0.97,
    rounds,
    warmUp: 1,
    work,
  });
  const extra = ours.map((time, i) => 100 * (time / peer[i]! - 1));
  console.log(
    `rep-spectral costs ${median(extra).toFixed(1)} %; by round ${spread(extra, (x) => `${x.toFixed(1)} %`)}`,
  );
  console.log(`${tf.memory().numTensors} tensors live`);
  console.log(`regularizer-cost ratio ${(median(peer) / median(ours)).toFixed(2)} (reach 0.97)`);
  return reached;
}

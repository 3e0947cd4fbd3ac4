import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../src/learn/loss/gradients.js';
import { model } from '../../src/learn/model/layered.js';
import { dense, gelu } from '../../src/learn/model/layers.js';
import { mlp } from '../../src/learn/model/mlp.js';
import type { Model } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { resnet18 } from '../learn/model/of-layers.js';
import { compare, type Side } from './compare.js';

/**
 * Loss and gradients of one batch: a model of layers, which TensorFlow.js differentiates, beside the same network with its gradients by
 * hand. There is no target; the ratio says how much of the time by hand a model of layers needs.
 */
export async function bench(): Promise<boolean> {
  await loadTensorFlow();
  await beside(
    'mlp',
    model({ inputShape: [784], layers: [dense(2000), gelu(), dense(10)] }),
    mlp([784, 2000, 10]),
    1024,
  );
  const byHand = resnet({ depth: 18, classes: 10, inputSize: [32, 32], width: 32 });
  await beside('resnet18', resnet18(32, 32), byHand, 32);
  return true;
}

async function beside(name: string, ofLayers: Model, byHand: Model, samples: number): Promise<void> {
  await compare({
    name: `model-layers-${name}`,
    ours: side('of layers', ofLayers, samples),
    peer: side('by hand', byHand, samples),
    reach: 0,
    rounds: Number(process.env.WEIR_ROUNDS ?? 9),
    work: { amount: samples, unit: 'samples' },
  });
}

function side(name: string, model: Model, samples: number): Side {
  const weights = model.start(0);
  const x = tf.randomNormal([samples, ...model.inputShape], 0, 1, 'float32', 1);
  const labels = tf.tensor1d(
    Array.from({ length: samples }, (_, i) => i % 10),
    'int32',
  );
  return {
    name,
    round() {
      const before = performance.now();
      const { loss, correct, gradients, statistics } = gradientsOf(model, crossEntropy(), weights, x, labels);
      loss.dataSync();
      for (const gradient of gradients.values()) gradient.dataSync();
      const seconds = (performance.now() - before) / 1000;
      tf.dispose([loss, correct, ...gradients.values(), ...(statistics?.values() ?? [])]);
      return seconds;
    },
    close: () => tf.dispose([x, labels, ...weights.values()]),
  };
}

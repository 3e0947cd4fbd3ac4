import { describe, test } from 'vitest';
import { projected } from '../../../src/learn/model/head.js';
import { model } from '../../../src/learn/model/layered.js';
import {
  batchNorm,
  conv,
  dense,
  gelu,
  globalMean,
  lipschitzConv,
  lipschitzDense,
  maxMin,
  maxPool,
  relu,
  residual,
} from '../../../src/learn/model/layers.js';
import { linear } from '../../../src/learn/model/linear.js';
import { mlp } from '../../../src/learn/model/mlp.js';
import { type Model, normal } from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { modelTests } from '../../../src/run/testing/model-tests.js';

const initialization = normal(0.5);

/** Every network: a new one is a row. */
const models: Record<string, () => Model> = {
  linear: () => linear([4, 3]),
  mlp: () => mlp([5, 6, 4, 3], { initialization }),
  'of layers': () =>
    model({
      inputShape: [6, 6, 2],
      layers: [
        conv(3, { initialization }),
        gelu(),
        residual([conv(3, { padding: 'zero', initialization })]),
        maxPool(),
        dense(5, { initialization }),
        gelu(),
        dense(3, { initialization }),
      ],
    }),
  'of layers, with batch normalization': () =>
    model({
      inputShape: [6, 6, 2],
      layers: [conv(4, { bias: false, initialization }), batchNorm(), gelu(), globalMean(), dense(3)],
    }),
  '1-Lipschitz': () =>
    model({
      inputShape: [6, 6, 2],
      layers: [
        lipschitzConv(4, { stride: 2, initialization }),
        maxMin(),
        lipschitzDense(5, { initialization }),
        gelu(),
        dense(3, { initialization }),
      ],
    }),
  'with a projection head': () =>
    projected(model({ inputShape: [6], layers: [dense(8), relu(), dense(4)] }), { outputs: 6 }),
  ResNet: () => resnet({ depth: 18, classes: 3, inputSize: [16, 16], width: 4 }),
};

describe.each(Object.entries(models))('%s', (name, make) => {
  const tolerance = name === 'ResNet' ? 0.1 : 0.03; // for its kinks; it is compared with PyTorch's elsewhere
  for (const { name: rule, run } of modelTests({ make, tolerance })) test(rule, run);
});

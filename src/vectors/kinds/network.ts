import { mlp } from '../../learn/model/model-mlp.js';
import type { Model, Weights } from '../../learn/model/model-model.js';
import type { ActivationName } from '../../learn/model/named.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { upload } from './kind.js';

/** What a case's `network` is: one hidden layer, Φ(x) = φ(xW + b), no output scale. */
export function withNetwork<T>(input: Fields, use: (model: Model, weights: Weights) => T): T {
  const network = input.inner('network');
  const [inputs, width] = network.tensor('hiddenKernel', 2).shape as [number, number];
  const [, classes] = network.tensor('readoutKernel', 2).shape as [number, number];
  const activation = (network.has('activation') ? network.text('activation') : 'gelu') as ActivationName;
  const model = mlp([inputs, width, classes], { activation, scale: 'none' });
  const bias = (key: string, size: number) =>
    upload(network.has(key) ? network.tensor(key, 1) : { shape: [size], data: new Array<number>(size).fill(0) });
  const weights = new Map([
    ['hidden1/kernel', upload(network.tensor('hiddenKernel', 2))],
    ['hidden1/bias', bias('hiddenBias', width)],
    ['readout/kernel', upload(network.tensor('readoutKernel', 2))],
    ['readout/bias', bias('readoutBias', classes)],
  ]);
  try {
    return use(model, weights);
  } finally {
    tf.dispose([...weights.values()]);
  }
}

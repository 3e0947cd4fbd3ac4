import { mlp } from '../../../src/learn/model/mlp.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';
import { tf } from '../../../src/tensorflow/tf.js';
import type { GoldenTensor } from '../../golden.js';

/** `network` of the reference vectors: one hidden layer, no output scale. */
export interface GoldenNetwork {
  readonly hiddenKernel: GoldenTensor;
  readonly hiddenBias: GoldenTensor;
  readonly readoutKernel: GoldenTensor;
  readonly readoutBias: GoldenTensor;
  readonly activation: 'gelu';
}

/** A network of the reference vectors as a model and its weights. */
export function networkOf(network: GoldenNetwork): { model: Model; weights: Weights } {
  const [inputs, width] = network.hiddenKernel.shape as [number, number];
  const [, classes] = network.readoutKernel.shape as [number, number];
  const weights = new Map(
    Object.entries({
      'hidden1/kernel': network.hiddenKernel,
      'hidden1/bias': network.hiddenBias,
      'readout/kernel': network.readoutKernel,
      'readout/bias': network.readoutBias,
    }).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]),
  );
  return { model: mlp([inputs, width, classes], { activation: network.activation, scale: 'none' }), weights };
}

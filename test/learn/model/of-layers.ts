import { model } from '../../../src/learn/model/layered.js';
import { batchNorm, conv, dense, globalMean, relu, residual } from '../../../src/learn/model/layers.js';
import type { Model, Weights } from '../../../src/learn/model/model.js';

/** ResNet-18 out of layers, in the order of the weights of `resnet`. */
export function resnet18(width: number, size: number): Model {
  const unit = (filters: number, options: object) => [conv(filters, { bias: false, ...options }), batchNorm()];
  const block = (filters: number, stride: number, changes: boolean) => [
    residual(
      [...unit(filters, { stride }), relu(), ...unit(filters, {})],
      changes ? unit(filters, { size: 1, stride }) : [],
    ),
    relu(),
  ];
  const stages = [1, 2, 4, 8].flatMap((factor, i) => [
    ...block(width * factor, i === 0 ? 1 : 2, i > 0),
    ...block(width * factor, 1, false),
  ]);
  return model({
    inputShape: [size, size, 3],
    layers: [...unit(width, {}), relu(), ...stages, globalMean(), dense(10)],
  });
}

/** The same weights under the names of another model, in order. */
export const renamed = (weights: Weights, { start }: Model): Weights => {
  const names = [...start(0).keys()];
  return new Map([...weights.values()].map((tensor, i) => [names[i]!, tensor]));
};

import * as weir from 'weir-engine';

const { batchNorm, conv, dense, maxPool, relu } = weir.layers;

/** A network of one's own out of layers, whose gradients are TensorFlow.js's. */
export const network = (filters: number): weir.Model =>
  weir.model({
    name: 'CNN of stripes',
    inputShape: [12, 12, 1],
    layers: [conv(filters), batchNorm(), relu(), maxPool(), conv(2 * filters), relu(), dense(16), relu(), dense(2)],
  });

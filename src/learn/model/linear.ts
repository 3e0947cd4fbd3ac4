import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import { type Gradients, type Initialization, initialized, type Model, normal, type Weights, weight } from './model.js';

export interface LinearOptions {
  readonly initialization?: Initialization;
  readonly bias?: boolean;
}

/**
 * A readout alone, on features that do not learn: Φ(x) = x, logits = xW, with `bias` xW + b (paper, A.3).
 *
 * @param sizes width of the features and number of classes
 * @example linear([2, 3], { initialization: normal(0.001) })
 */
export function linear(sizes: readonly [width: number, classes: number], options: LinearOptions = {}): Model {
  const { initialization = normal(0.01), bias = false } = checkOptions('linear', options, {
    initialization: 'optional',
    bias: 'optional',
  });
  const [width, classes] = sizes;
  if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new WeirError(
      `a linear model of sizes [${sizes.join(', ')}] was asked for`,
      'give the width of the features and the number of classes, such as [2, 3]',
    );
  }
  const readout = { kind: 'dense', name: 'readout', kernel: 'readout/kernel' } as const;
  const offset = 'readout/bias';
  const flat = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, width]);
  const logitsOf = (weights: Weights, x: tf.Tensor): tf.Tensor2D =>
    tf.tidy(() => {
      const product: tf.Tensor2D = tf.matMul(flat(x), weight<tf.Tensor2D>(weights, readout.kernel));
      return bias ? tf.add(product, weight(weights, offset)) : product;
    });

  return {
    name: `linear ${width}-${classes}`,
    inputShape: [width],
    classes,
    architecture: { architecture: `linear ${sizes.join('-')}` },
    featureLayers: [],
    readout,
    parts: [],

    start(seed) {
      const drawn = (size: number, part: 0 | 1): Float32Array =>
        initialized(initialization, size, { seed, layer: 0, part, fanIn: width });
      const kernel = tf.tensor2d(drawn(width * classes, 0), [width, classes]);
      return new Map<string, tf.Tensor>([
        [readout.kernel, kernel],
        ...(bias ? [[offset, tf.tensor1d(drawn(classes, 1))] as const] : []),
      ]);
    },

    operations: { features: [], outputs: [{ kind: 'dense', kernel: readout.kernel, ...(bias && { bias: offset }) }] },
    features: (_, x) => flat(x),
    logits: logitsOf,
    jacobian: {
      forward: (_weights, _x, p) => tf.clone(p),
      backward: (_weights, _x, q) => tf.clone(q),
      at: () => ({
        forward: (p) => tf.clone(p),
        backward: (q) => tf.clone(q),
        gradients: () => new Map(),
        dispose: () => undefined,
      }),
    },

    pullback(weights, x) {
      const features = flat(x);
      const logits = logitsOf(weights, x);
      return {
        features,
        logits,
        gradients(dLogits): Gradients {
          const found: Gradients = new Map([[readout.kernel, tf.matMul(features, dLogits, true)]]);
          if (bias) found.set(offset, tf.sum(dLogits, 0));
          tf.dispose([features, logits]);
          return found;
        },
      };
    },
  };
}

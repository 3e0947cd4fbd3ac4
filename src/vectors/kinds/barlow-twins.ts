import { WeirError } from '../../flow/errors.js';
import { barlowTwins } from '../../learn/loss/barlow-twins.js';
import { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { taken, upload, type VectorKind } from './kind.js';

/** The Barlow Twins loss of two views and its gradients. */
export const barlowTwinsLoss: VectorKind = {
  kind: 'barlow-twins',
  compute(input) {
    let made: ReturnType<typeof computedBarlowTwins> | undefined;
    const once = () => (made ??= computedBarlowTwins(input));
    return { loss: () => once().loss, gradZ1: () => once().gradient[0]!, gradZ2: () => once().gradient[1]! };
  },
};

function computedBarlowTwins(input: Fields) {
  const [z1, z2] = [input.tensor('z1', 2), input.tensor('z2', 2)];
  if (`${z1.shape}` !== `${z2.shape}`) {
    throw new WeirError(
      `'z1' is [${z1.shape.join(', ')}] and 'z2' is [${z2.shape.join(', ')}]`,
      'give two views of one shape',
    );
  }
  const options = {
    ...(input.has('lambda') && { lambda: input.number('lambda') }),
    ...(input.has('epsilon') && { epsilon: input.number('epsilon') }),
  };
  const views = tf.tidy(() => tf.concat([upload(z1), upload(z2)])) as tf.Tensor2D;
  const { value, gradient } = barlowTwins(options).of(views);
  const both = taken(gradient);
  const half = both.length / 2;
  return { loss: taken(value)[0]!, gradient: [both.subarray(0, half), both.subarray(half)] };
}

import { WeirError } from '../../flow/errors.js';
import { barlowTwins } from '../../learn/loss/barlow-twins.js';
import { ntXent } from '../../learn/loss/nt-xent.js';
import { tf } from '../../tensorflow/tf.js';
import type { VectorFields } from '../vector-file.js';
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

function computedBarlowTwins(input: VectorFields) {
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

/** SimCLR's loss over the projections of two views, and its gradient. */
export const ntXentLoss: VectorKind = {
  kind: 'nt-xent',
  compute(input) {
    let made: ReturnType<typeof computedNtXent> | undefined;
    const once = () => (made ??= computedNtXent(input));
    return { loss: () => once().loss, gradient: () => once().gradient };
  },
};

function computedNtXent(input: VectorFields) {
  const projections = input.tensor('projections', 2);
  const images = input.has('images') ? input.count('images') : projections.shape[0]! / 2;
  if (projections.shape[0] !== 2 * images) {
    throw new WeirError(
      `there are ${projections.shape[0]} projections of ${images} images`,
      'give two for each: the first views, then the second ones',
    );
  }
  const loss = ntXent(input.has('temperature') ? { temperature: input.number('temperature') } : {});
  const { value, gradient, correct } = loss.of(upload(projections) as tf.Tensor2D);
  correct?.dispose();
  return { loss: taken(value)[0]!, gradient: taken(gradient) };
}

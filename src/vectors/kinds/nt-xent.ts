import { WeirError } from '../../flow/errors.js';
import { ntXent } from '../../learn/loss/nt-xent.js';
import type { tf } from '../../tensorflow/device-tf.js';
import type { Fields } from '../fields.js';
import { taken, upload, type VectorKind } from './kind.js';

/** SimCLR's loss over the projections of two views, and its gradient. */
export const ntXentLoss: VectorKind = {
  kind: 'nt-xent',
  compute(input) {
    let made: ReturnType<typeof computedNtXent> | undefined;
    const once = () => (made ??= computedNtXent(input));
    return { loss: () => once().loss, gradient: () => once().gradient };
  },
};

function computedNtXent(input: Fields) {
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

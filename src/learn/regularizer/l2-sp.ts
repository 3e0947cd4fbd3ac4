import type { Data } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkNumbers } from '../../flow/options.js';
import { bytesOf } from '../../storage/codec.js';
import { sha256Of } from '../../storage/digest.js';
import { tf } from '../../tensorflow/tf.js';
import type { Model, Weights } from '../model/model.js';
import { addGradient, type Regularizer, type Strength, since } from './regularizer.js';

const KIND = 'l2-sp';

export interface L2SpOptions extends Strength {
  /** β, of the readout; by default 0.01, as in the authors' code. */
  readonly beta?: number;
  /**
   * The starting point w⁰ by the names of the model's weights, such as pretrained ones; by default `model.start(seed)`. It is
   * called once, when w⁰ is first needed, and after a resume again: a snapshot holds the checksum alone. Its tensors are taken over.
   */
  readonly start?: () => Weights;
  /** Of the weights that training began with. */
  readonly seed?: number;
}

/**
 * L2-SP (Li, Grandvalet, Davoine 2018, equation 3): α/2 · ‖w − w⁰‖² over the trained weights of the feature map, biases and scales
 * included, + β/2 · ‖w‖² over the readout's, α being `gamma`.
 *
 * The authors' code has α and β without the halves.
 *
 * @throws {WeirError} at the first update, where the starting point lacks a weight or has it in another shape; after a resume, where it
 * is another than before
 */
export function l2Sp(
  model: Model,
  { beta = 0.01, seed = 0, start = () => model.start(seed), ...strength }: L2SpOptions,
): Regularizer {
  const active = since(KIND, strength);
  checkNumbers(`regularizer '${KIND}'`, { beta });
  const alpha = strength.gamma;
  const fixed = new Set(model.statistics);
  const ofReadout = (name: string): boolean => name.startsWith(`${model.readout.name}/`);
  let first: Weights | undefined;
  let sum: string | undefined; // of `first`, now or before the resume

  /** Strength and starting point of a weight; no starting point is 0. */
  function pullOf(name: string, weight: tf.Tensor): readonly [strength: number, origin: tf.Tensor | undefined] {
    if (ofReadout(name)) return [beta, undefined];
    first ??= verified(ofFeatures(start()));
    const origin = first.get(name);
    if (origin !== undefined && `${origin.shape}` === `${weight.shape}`) return [alpha, origin];
    const there = origin === undefined ? 'has none' : `has it as [${origin.shape.join(', ')}]`;
    throw new WeirError(
      `'${KIND}' pulls '${name}' of [${weight.shape.join(', ')}] towards its starting point, which ${there}`,
      `let start() return weights of ${model.name}, such as () => model.start(seed)`,
    );
  }
  const away = (weight: tf.Tensor, origin: tf.Tensor | undefined): tf.Tensor =>
    origin === undefined ? weight : tf.sub(weight, origin);

  /** The weights of the feature map, which alone have a starting point; the rest is given back. */
  function ofFeatures(weights: Weights): Weights {
    for (const [name, tensor] of weights) {
      if (ofReadout(name) || fixed.has(name)) tensor.dispose();
      else tf.keep(tensor);
    }
    return new Map([...weights].filter(([, tensor]) => !tensor.isDisposed));
  }

  function verified(weights: Weights): Weights {
    const found = checksum(weights);
    sum ??= found;
    if (found === sum) return weights;
    tf.dispose([...weights.values()]);
    throw new WeirError(
      `'${KIND}' pulls towards the weights that training began with, and these are others than before the resume`,
      'bring back the file or run that the network began with, as it was',
    );
  }

  return {
    kind: KIND,
    active,
    save: () => sum ?? null,
    load(data: Data) {
      sum = (data as string | null) ?? undefined;
      if (first !== undefined) first = verified(first);
    },
    addGradients({ weights }, gradients) {
      for (const name of [...gradients.keys()]) {
        const weight = weights.get(name)!;
        const [strength, origin] = pullOf(name, weight);
        addGradient(
          gradients,
          name,
          tf.tidy(() => tf.mul(away(weight, origin), strength)),
        );
      }
    },
    value({ weights }) {
      const terms = [...weights]
        .filter(([name]) => !fixed.has(name))
        .map(([name, weight]) => {
          const [strength, origin] = pullOf(name, weight);
          return (strength / 2) * tf.tidy(() => tf.sum(tf.square(away(weight, origin))).dataSync()[0]!);
        });
      return terms.reduce((sum, term) => sum + term, 0);
    },
  };
}

const checksum = (weights: Weights): string =>
  sha256Of(
    ...[...weights].flatMap(([name, tensor]) => [
      `${name} ${tensor.shape.join()} `,
      bytesOf(tensor.dataSync<'float32'>()),
    ]),
  );

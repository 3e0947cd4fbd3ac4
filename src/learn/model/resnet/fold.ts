import { tf } from '../../../tensorflow/device-tf.js';
import type { Convolutions } from '../../../tensorflow/ops/convolution-convolution.js';
import { attribute } from '../../../tensorflow/ops/device-eager.js';
import { lent, type Raw, run } from '../../../tensorflow/ops/raw.js';
import { type Weights, weight } from '../model-model.js';
import { type ConvPlan, convolutionsOf, type Plan } from './resnet-plan.js';
import { EPSILON } from './resnet-train.js';

/** A convolution with its batch normalization folded in: kernel · scale/√(variance + ε), and what is left as a bias. */
export interface Folded {
  readonly kernel: Raw;
  /** The kernel as a convolution reads it. */
  readonly packed: Raw;
  readonly bias: Raw;
}

/** Every convolution in evaluation mode, by name. */
export type FoldedNetwork = ReadonlyMap<string, Folded>;

/** The folded network of the weights met last: an attack asks for the same one thousands of times. */
export interface Folds {
  of(weights: Weights): FoldedNetwork;
  /** Gives its memory back; the next call folds anew. */
  drop(): void;
}

/** It knows weights by their tensors, which never change. */
export function folds(plan: Plan, engine: () => Convolutions): Folds {
  const convolutions = convolutionsOf(plan);
  const names = convolutions.flatMap(({ kernel, norm }) => [kernel, norm.scale, norm.offset, norm.mean, norm.variance]);
  let known: { readonly key: string; readonly network: FoldedNetwork } | undefined;
  const drop = (): void => {
    for (const parts of known?.network.values() ?? [])
      for (const raw of Object.values<Raw>({ ...parts })) raw.dispose();
    known = undefined;
  };
  return {
    of(weights) {
      const key = names.map((name) => weight(weights, name).id).join();
      if (known?.key !== key) {
        drop();
        const through = engine();
        known = { key, network: new Map(convolutions.map((conv) => [conv.name, folded(conv, weights, through)])) };
      }
      return known.network;
    },
    drop,
  };
}

function folded(conv: ConvPlan, weights: Weights, engine: Convolutions): Folded {
  const { scale, offset, mean, variance } = conv.norm;
  const made = tf.tidy(() => {
    const slope = tf.div(weight(weights, scale), tf.sqrt(tf.add(weight(weights, variance), EPSILON)));
    const bias = tf.sub(weight(weights, offset), tf.mul(weight(weights, mean), slope));
    return [tf.mul(weight(weights, conv.kernel), slope), bias];
  }) as [tf.Tensor, tf.Tensor];
  const [kernel, bias] = made.map(copy) as [Raw, Raw];
  tf.dispose(made);
  return { kernel, packed: engine.packed(kernel, conv), bias };
}

/** What a tensor holds, unknown to TensorFlow.js. */
const copy = (x: tf.Tensor): Raw => run('Identity', [attribute.type('T', 'float32')], [lent(x)])[0];

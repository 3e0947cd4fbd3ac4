import { EPSILON } from '../../../tensorflow/ops/batch-norm.js';
import type { Convolutions } from '../../../tensorflow/ops/convolution.js';
import { attribute, lent, type Raw, run } from '../../../tensorflow/ops/eager.js';
import { tf } from '../../../tensorflow/tf.js';
import { type Weights, weight } from '../model.js';
import { type BlockPlan, type ConvPlan, convolutionsOf, maxPool, type ResnetPlan, subsampling } from './plan.js';

/** A convolution with its batch normalization folded in: kernel · scale/√(variance + ε), and the rest as a bias. */
export interface Folded {
  readonly kernel: Raw;
  /** The kernel in the layout of `Convolutions.convolve`. */
  readonly packed: Raw;
  readonly bias: Raw;
}

/** Every convolution in evaluation mode, by name. */
export type FoldedNetwork = ReadonlyMap<string, Folded>;

/** A cache of the folded network of the last weights: an attack evaluates the same network thousands of times. */
export interface Folds {
  of(weights: Weights): FoldedNetwork;
  /** Disposes of the folded network; the next call makes it again. */
  drop(): void;
}

/** Weights are recognized by their tensors, which never change. */
export function folds(plan: ResnetPlan, engine: () => Convolutions): Folds {
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

/** A copy of a tensor, unknown to TensorFlow.js. */
const copy = (x: tf.Tensor): Raw => run('Identity', [attribute.type('T', 'float32')], [lent(x)])[0];

/** The outputs of the rectifiers and the pool of one forward pass. The Jacobian at that input depends on nothing else. */
export interface Trace {
  readonly stem: Raw;
  readonly pool: { readonly padded: Raw; readonly y: Raw } | undefined;
  /** By block: the output of each rectifier of the branch, the last being the block's own output. */
  readonly blocks: readonly (readonly Raw[])[];
}

/** The maps before the mean, in evaluation mode. x is float32 [n, height, width, channels] and belongs to the caller. */
export function evaluate(plan: ResnetPlan, network: FoldedNetwork, engine: Convolutions, x: Raw): Raw {
  let at = through(network, engine, plan.stem, x);
  if (plan.pool) {
    const [y, padded] = maxPool('float32').forward(at);
    for (const raw of [at, padded]) raw.dispose();
    at = y;
  }
  for (const block of plan.blocks) {
    const inner = branch(network, engine, block, at);
    for (const raw of [at, ...inner.slice(0, -1)]) raw.dispose();
    at = inner[inner.length - 1]!;
  }
  return at;
}

/** The same with the outputs that a linearization needs; the trace belongs to the caller. */
export function trace(plan: ResnetPlan, network: FoldedNetwork, engine: Convolutions, x: Raw): Trace {
  const stem = through(network, engine, plan.stem, x);
  let pool: Trace['pool'];
  if (plan.pool) {
    const [y, padded] = maxPool('float32').forward(stem);
    pool = { padded, y };
  }
  let at = pool?.y ?? stem;
  const blocks = plan.blocks.map((block) => {
    const inner = branch(network, engine, block, at);
    at = inner[inner.length - 1]!;
    return inner;
  });
  return { stem, pool, blocks };
}

function through(network: FoldedNetwork, engine: Convolutions, conv: ConvPlan, x: Raw, residual?: Raw): Raw {
  const { packed, bias } = network.get(conv.name)!;
  return engine.convolve(x, packed, conv, { bias, rectify: true, ...(residual && { residual }) });
}

/** The output behind each convolution of a block; the last is the block's. */
function branch(network: FoldedNetwork, engine: Convolutions, block: BlockPlan, x: Raw): Raw[] {
  const found: Raw[] = [];
  const aside = shortcut(network, engine, block, x);
  block.branch.forEach((conv, i) => {
    const last = i === block.branch.length - 1;
    found.push(through(network, engine, conv, found[i - 1] ?? x, last ? aside : undefined));
  });
  if (aside !== x) aside.dispose();
  return found;
}

function shortcut(network: FoldedNetwork, engine: Convolutions, { shortcut }: BlockPlan, x: Raw): Raw {
  if (shortcut.kind === 'identity') return x;
  if (shortcut.kind === 'projection') {
    const { packed, bias } = network.get(shortcut.conv.name)!;
    return engine.convolve(x, packed, shortcut.conv, { bias });
  }
  const packed = engine.packed(subsampling(shortcut.geometry), shortcut.geometry);
  const y = engine.convolve(x, packed, shortcut.geometry);
  packed.dispose();
  return y;
}

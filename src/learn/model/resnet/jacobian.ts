import type { Convolutions } from '../../../tensorflow/ops/convolution.js';
import { attribute, lent, type Raw, run } from '../../../tensorflow/ops/eager.js';
import { tf } from '../../../tensorflow/tf.js';
import type { FeatureJacobian, FeaturePull, Weights } from '../model.js';
import { type FoldedNetwork, type Trace, trace } from './evaluate.js';
import { type BlockPlan, maxPool, type ResnetPlan, subsampling } from './plan.js';
import { meanOver } from './train.js';

/** Samples linearized at once, to bound the memory of the trace: about 10 MB a sample for ResNet-18 on 32 × 32 images. */
const CHUNK = 32;

const T = attribute.type('T', 'float32');

/**
 * Products with ∇Φ of a residual network in evaluation mode. Between rectifiers the network is linear. So a direction goes forward through
 * the folded convolutions without their biases, and a cotangent back through their transposes. Each rectifier stays open or closed as it is
 * at the sample.
 */
export function residualJacobian(
  plan: ResnetPlan,
  folded: (weights: Weights) => FoldedNetwork,
  engine: () => Convolutions,
  images: (x: tf.Tensor) => tf.Tensor4D,
): FeatureJacobian {
  /** Each chunk's results of `work`, put together again. */
  const inChunks = (
    x: tf.Tensor,
    weights: Weights,
    work: (at: Trace, network: FoldedNetwork, first: number, count: number) => tf.Tensor2D[],
  ): tf.Tensor2D[] =>
    tf.tidy(() => {
      const whole = images(x);
      const network = folded(weights);
      const parts: tf.Tensor2D[][] = [];
      for (let first = 0; first < whole.shape[0]; first += CHUNK) {
        const count = Math.min(CHUNK, whole.shape[0] - first);
        const at = trace(plan, network, engine(), lent(tf.slice(whole, first, count)));
        parts.push(work(at, network, first, count));
        for (const raw of [at.stem, at.pool?.padded, at.pool?.y, ...at.blocks.flat()]) raw?.dispose();
      }
      return parts.length === 1 ? parts[0]! : parts[0]!.map((_, i) => tf.concat(parts.map((part) => part[i]!)));
    });
  const back = (at: Trace, network: FoldedNetwork, q: tf.Tensor2D): tf.Tensor2D => {
    const [n, height, width, channels] = at.blocks.at(-1)!.at(-1)!.shape as [number, number, number, number];
    const each = tf.reshape(tf.div(q, height * width), [n, 1, 1, channels]);
    const found = backward(plan, network, engine(), at, lent(tf.tile(each, [1, height, width, 1])));
    return tf.reshape(found.toTensor(), [n, -1]);
  };

  return {
    forward: (weights, x, p) =>
      inChunks(x, weights, (at, network, first, count) => {
        const { height, width, in: channels } = plan.stem;
        const rows = tf.slice(p, [first, 0], [count, -1]);
        return [forward(plan, network, engine(), at, lent(tf.reshape(rows, [-1, height, width, channels])))];
      })[0]!,
    backward: (weights, x, q) =>
      inChunks(x, weights, (at, network, first, count) => [
        back(at, network, tf.slice(q, [first, 0], [count, -1])),
      ])[0]!,
    pull: (weights, x, cotangent) =>
      inChunks(x, weights, (at, network, first) => {
        const features = meanOver(at.blocks.at(-1)!.at(-1)!, 'float32');
        return [features, back(at, network, cotangent(features, first))];
      }) as ReturnType<FeaturePull>,
  };
}

/** The tangent behind the rectifier with output y: zero where the rectifier is closed. Takes `t`. */
function opened(t: Raw, y: Raw): Raw {
  const [masked] = run('ReluGrad', [T], [t, y]);
  t.dispose();
  return masked;
}

function forward(plan: ResnetPlan, network: FoldedNetwork, engine: Convolutions, at: Trace, p: Raw): tf.Tensor2D {
  let t = opened(engine.convolve(p, network.get(plan.stem.name)!.packed, plan.stem), at.stem);
  if (at.pool) {
    const pooled = maxPool('float32').tangent(at.pool.padded, at.pool.y, t);
    t.dispose();
    t = pooled;
  }
  plan.blocks.forEach(({ branch, shortcut }, b) => {
    let residual = t;
    if (shortcut.kind !== 'identity') residual = along(engine, network, shortcut, t);
    let inner = t;
    branch.forEach((conv, i) => {
      const last = i === branch.length - 1;
      const { packed } = network.get(conv.name)!;
      const next = engine.convolve(inner, packed, conv, last ? { residual } : {});
      if (i > 0) inner.dispose();
      inner = opened(next, at.blocks[b]![i]!);
    });
    if (residual !== t) residual.dispose();
    t.dispose();
    t = inner;
  });
  const mean = meanOver(t, 'float32');
  t.dispose();
  return mean;
}

function along(
  engine: Convolutions,
  network: FoldedNetwork,
  shortcut: Exclude<BlockPlan['shortcut'], { kind: 'identity' }>,
  t: Raw,
): Raw {
  if (shortcut.kind === 'projection') return engine.convolve(t, network.get(shortcut.conv.name)!.packed, shortcut.conv);
  const packed = engine.packed(subsampling(shortcut.geometry), shortcut.geometry);
  const moved = engine.convolve(t, packed, shortcut.geometry);
  packed.dispose();
  return moved;
}

/** The cotangent at the input, for a cotangent of the maps before the mean, which belongs to the caller. */
function backward(plan: ResnetPlan, network: FoldedNetwork, engine: Convolutions, at: Trace, q: Raw): Raw {
  let dy = run('Identity', [T], [q])[0];
  for (let b = plan.blocks.length - 1; b >= 0; b--) {
    const { branch, shortcut } = plan.blocks[b]!;
    const through = opened(dy, at.blocks[b]!.at(-1)!);
    let inner = through;
    for (let i = branch.length - 1; i >= 0; i--) {
      const conv = branch[i]!;
      const back = engine.back(inner, network.get(conv.name)!.kernel, conv);
      if (inner !== through) inner.dispose();
      inner = i > 0 ? opened(back, at.blocks[b]![i - 1]!) : back;
    }
    const aside =
      shortcut.kind === 'identity'
        ? through
        : shortcut.kind === 'projection'
          ? engine.back(through, network.get(shortcut.conv.name)!.kernel, shortcut.conv)
          : engine.back(through, subsampling(shortcut.geometry), shortcut.geometry);
    [dy] = run('AddV2', [T], [inner, aside]);
    for (const raw of new Set([inner, aside, through])) raw.dispose();
  }
  if (at.pool) {
    const full = maxPool('float32').back(at.pool.padded, at.pool.y, dy);
    dy.dispose();
    dy = full;
  }
  dy = opened(dy, at.stem);
  const found = engine.back(dy, network.get(plan.stem.name)!.kernel, plan.stem);
  dy.dispose();
  return found;
}

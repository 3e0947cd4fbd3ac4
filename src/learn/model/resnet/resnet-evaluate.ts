import type { Convolutions } from '../../../tensorflow/ops/convolution-convolution.js';
import type { Raw } from '../../../tensorflow/ops/raw.js';
import type { FoldedNetwork } from './fold.js';
import type { BlockPlan, ConvPlan, Plan } from './resnet-plan.js';
import { maxPool } from './resnet-pool.js';
import { subsampling } from './subsample.js';

/** What the rectifiers and the pool of one forward pass let through: all that the Jacobian there depends on. */
export interface Trace {
  readonly stem: Raw;
  readonly pool: { readonly padded: Raw; readonly y: Raw } | undefined;
  /** By block: what follows each convolution of the branch, the last being the block's own output. */
  readonly blocks: readonly (readonly Raw[])[];
}

/** The maps before the mean, in evaluation mode. x is float32 [n, height, width, channels] and stays the caller's. */
export function evaluate(plan: Plan, network: FoldedNetwork, engine: Convolutions, x: Raw): Raw {
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

/** The same with all that its linearization needs; the trace belongs to the caller. */
export function trace(plan: Plan, network: FoldedNetwork, engine: Convolutions, x: Raw): Trace {
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

/** What follows each convolution of a block; the last is the block's output. */
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

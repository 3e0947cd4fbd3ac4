import { compare } from './compare.js';
import { onCifar, ours, peer } from './sides/residual-step.js';

const updates = 2; // a round
const rounds = Number(process.env.WEIR_ROUNDS ?? 7);

/**
 * The step of `resnet18-step` in mixed precision, against PyTorch's autocast to bfloat16 in channels_last.
 *
 * Both keep activations and their gradients in bfloat16, weights, statistics and losses in float32. PyTorch rounds the kernels too
 * and multiplies with the processor's bfloat16 instructions; ours multiplies in float32, with fewer products (Winograd).
 */
export async function bench(): Promise<boolean> {
  const { reached } = await compare({
    name: 'resnet18-step-bf16',
    reach: 1,
    rounds,
    warmUp: 1,
    work: { amount: updates * onCifar.size, unit: 'images' },
    ours: await ours(onCifar, 'bfloat16', updates),
    peer: await peer(onCifar, 'bfloat16', updates),
  });
  return reached;
}

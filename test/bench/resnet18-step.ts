import { compare } from './compare.js';
import { onCifar, ours, peer } from './sides/residual-step.js';

const updates = 2; // a round
const rounds = Number(process.env.WEIR_ROUNDS ?? 7);

/**
 * A training step of ResNet-18 on CIFAR-10's shapes, batch 64, circular padding, crop and flip, through the whole graph: against
 * PyTorch's channels_last, its best layout for float32, and against the authors' loop in PyTorch's default layout.
 */
export async function bench(): Promise<boolean> {
  const work = { amount: updates * onCifar.size, unit: 'images' };
  const side = await ours(onCifar, 'float32', updates);
  const kept = { ...side, close: undefined }; // it goes on from one comparison to the next
  const common = { rounds, warmUp: 1, work };
  const best = await compare({
    name: 'resnet18-step-channels-last',
    ours: kept,
    reach: 1,
    ...common,
    peer: await peer(onCifar, 'channels_last', updates),
  });
  const reference = await compare({
    name: 'resnet18-step',
    ours: side,
    reach: 1.2,
    ...common,
    peer: await peer(onCifar, 'nchw', updates),
  });
  return best.reached && reference.reached;
}

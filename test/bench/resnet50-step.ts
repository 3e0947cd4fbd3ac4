import { compare, median } from './compare.js';
import { onImagenet, ours, peer } from './sides/residual-step.js';

const updates = 1; // a round
const rounds = Number(process.env.WEIR_ROUNDS ?? 5);
const reach = 1;

/**
 * A training step of torchvision's ResNet-50 on ImageNet's shapes, batch 8, float32, crop and flip, through the whole graph: against
 * PyTorch in both layouts. The better of the two counts.
 */
export async function bench(): Promise<boolean> {
  const side = await ours(onImagenet, 'float32', updates);
  const kept = { ...side, close: undefined }; // it goes on from one comparison to the next
  const common = { reach, rounds, warmUp: 1 };
  const nchw = await compare({
    name: 'resnet50-step-nchw',
    ours: kept,
    ...common,
    peer: await peer(onImagenet, 'nchw', updates),
  });
  const last = await compare({
    name: 'resnet50-step-channels-last',
    ours: side,
    ...common,
    peer: await peer(onImagenet, 'channels_last', updates),
  });
  const better = Math.min(median(nchw.peer), median(last.peer));
  const ratio = Math.min(nchw.ratio, last.ratio);
  console.log(`the better layout of PyTorch takes ${better.toFixed(2)} s a step`);
  console.log(`resnet50-step ratio ${ratio.toFixed(2)} (reach ${reach.toFixed(2)})`);
  return ratio >= reach;
}

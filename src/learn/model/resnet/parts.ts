import type { ConvLayer } from '../model-model.js';
import { elementwise, largestOf, meanOver, type Part } from '../part.js';
import type { BlockPlan, ConvPlan, Plan } from './resnet-plan.js';

/** The feature map piece by piece, for bounds on how much it can stretch. */
export function partsOf(plan: Plan, layer: (conv: ConvPlan) => ConvLayer): Part[] {
  const relu = elementwise('relu', 1);
  const aside = ({ shortcut }: BlockPlan): Part[] => {
    if (shortcut.kind === 'identity') return [];
    return [shortcut.kind === 'projection' ? layer(shortcut.conv) : elementwise('subsample', 1)];
  };
  const blocks = plan.blocks.flatMap((block): Part[] => {
    const branch = block.branch.flatMap((conv, i): Part[] => (i === 0 ? [layer(conv)] : [relu, layer(conv)]));
    return [{ kind: 'sum', branches: [branch, aside(block)] }, relu];
  });
  return [layer(plan.stem), relu, ...(plan.pool ? [largestOf(3, 2)] : []), ...blocks, meanOver(plan.positions)];
}

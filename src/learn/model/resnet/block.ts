import type { Raw } from '../../../tensorflow/ops/raw.js';
import type { Weights } from '../model-model.js';
import type { BlockPlan } from './resnet-plan.js';
import { subsampling } from './subsample.js';
import { type Engine, type Unit, unit } from './unit.js';

/** A gradient in up to two parts that are still to be added: what comes back along a branch and along a shortcut. */
export type Parts = readonly [dy: Raw, other: Raw | undefined];

/** A residual block gone through forward. */
export interface Block {
  /** What goes on from here; it belongs to the block until `back`. */
  readonly y: Raw;
  readonly units: readonly Unit[];
  /** Takes the gradient with respect to y; gives that with respect to x. Call it once. */
  back(gradient: Parts, found: Map<string, Raw>): Parts;
}

/** Goes forward through one block; x stays the caller's, who keeps it until the way back is done. */
export function block(engine: Engine, weights: Weights, { branch, shortcut }: BlockPlan, x: Raw): Block {
  const { convolutions } = engine;
  const units: Unit[] = [];
  const aside =
    shortcut.kind === 'projection' ? unit(engine, weights, shortcut.conv, x, { rectify: false }) : undefined;
  let residual = aside?.y ?? x;
  let subsampled: Raw | undefined;
  if (shortcut.kind === 'subsample') {
    const packed = convolutions.packed(subsampling(shortcut.geometry), shortcut.geometry);
    subsampled = convolutions.convolve(x, packed, shortcut.geometry);
    packed.dispose();
    residual = subsampled;
  }
  branch.forEach((conv, i) => {
    const after = i < branch.length - 1 ? { rectify: true } : ({ rectify: true, residual } as const);
    units.push(unit(engine, weights, conv, units[i - 1]?.y ?? x, after));
  });
  const last = units[units.length - 1]!;

  return {
    y: last.y,
    units: aside ? [...units, aside] : units,
    back([dy, other], found) {
      let { x: dx, residual: through } = last.back(dy, other, found, true);
      for (const each of units.slice(0, -1).reverse()) dx = each.back(dx!, undefined, found, true).x;
      subsampled?.dispose();
      if (aside) {
        through = aside.back(through!, undefined, found, true).x;
      } else if (shortcut.kind === 'subsample') {
        const full = convolutions.back(through!, subsampling(shortcut.geometry), shortcut.geometry);
        through!.dispose();
        through = full;
      }
      return [dx!, through];
    },
  };
}

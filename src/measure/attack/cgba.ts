import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import type { LabeledSamples } from '../inputs.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { type BoundaryWalk, boundaryWalk, type WalkState } from './boundary-walk.js';
import { distance, type SampleGroup } from './group.js';
import { lowFrequencies } from './low-frequencies.js';
import { type AttackResult, attackRecord } from './record.js';

export interface CgbaOptions extends AttackOptions {
  /** T */
  readonly iterations?: number;
  /** f: noise has only the lowest 1/f of the frequencies of each side of an image. 1 takes all. */
  readonly reduction?: number;
  /** Draws in one forward pass, for models whose first layer is not dense. */
  readonly chunk?: number;
}

/** Draws for the normal at the first iteration: N0. */
const N0 = 30;
/** σ in widths of the box: the authors' 2e-4 is in deviations of ImageNet's pixels, of which a box has 4.4. */
const SIGMA = 4.5e-5;

export function cgba(
  model: Model,
  samples: LabeledSamples,
  options: CgbaOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<WalkState>> {
  checkOptions('cgba', options, {
    iterations: 'optional',
    reduction: 'optional',
    chunk: 'optional',
    ...attackOptionKeys,
  });
  const { iterations = 93, reduction = 1 } = options;
  const starts = Number(process.env.STARTS ?? 1);
  const heats = Number(process.env.HEATS ?? 1);
  return attackStage('cgba', attackRecord('CGBA'), model, samples, options, (setting) => {
    const noise = reduction > 1 ? { noise: lowFrequencies('cgba', samples.sampleShape, reduction) } : {};
    const n0 = Number(process.env.N0 ?? N0);
    const sigma = Number(process.env.SIGMA ?? SIGMA);
    return boundaryWalk(
      'cgba',
      setting,
      { ...options, iterations },
      {
        ...CGBA,
        ...noise,
        starts,
        heats: () => heats,
        draws: (i) => Math.floor(n0 * Math.sqrt(i)),
        scale: (_i, { width }) => sigma * width,
      },
    );
  });
}

const CGBA: BoundaryWalk = {
  draws: (i) => Math.floor(N0 * Math.sqrt(i)),
  scale: (_i, { width }) => SIGMA * width,
  step: (group, normals, _i, wanted) => semicircleStep(group, normals, wanted),
  starts: 1,
  heats: () => 1,
};

export function semicircleStep(
  group: SampleGroup,
  normals: readonly (Float32Array | undefined)[],
  wanted: Uint8Array,
): void {
  const arcs = Array.from(wanted, (one, slot) =>
    one === 1 ? semicircle(group.original(slot), group.row(group.points, slot), normals[slot]!) : undefined,
  );
  const { lower, upper } = group.task.box;
  group.bisect(
    group.running((slot) => arcs[slot] !== undefined),
    (slot, t, into) => {
      arcs[slot]!(t, into);
      for (let i = 0; i < into.length; i++) into[i] = Math.min(Math.max(into[i]!, lower[i]!), upper[i]!);
    },
  );
}

export function semicircle(
  x: Float32Array,
  boundary: Float32Array,
  normal: Float32Array,
): ((t: number, into: Float32Array) => void) | undefined {
  const d = x.length;
  const length = distance(x, boundary);
  const v = Float64Array.from({ length: d }, (_, i) => (boundary[i]! - x[i]!) / length);
  const along = v.reduce((sum, value, i) => sum + value * normal[i]!, 0);
  const w = Float64Array.from({ length: d }, (_, i) => normal[i]! - along * v[i]!);
  const across = Math.hypot(...w);
  if (!(across > 1e-6)) return undefined;
  return (t, into) => {
    const angle = ((1 - t) * Math.PI) / 2;
    const [a, b] = [length * Math.cos(angle) ** 2, (length * Math.cos(angle) * Math.sin(angle)) / across];
    for (let i = 0; i < d; i++) into[i] = x[i]! + a * v[i]! + b * w[i]!;
  };
}

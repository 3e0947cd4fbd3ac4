import { checkOptions } from '../../flow/options.js';
import type { StageOperator } from '../../flow/stage.js';
import type { Model } from '../../learn/model/model.js';
import { statelessNormal } from '../../tensorflow/ops/eager.js';
import { tf } from '../../tensorflow/tf.js';
import type { LabeledSamples } from '../inputs.js';
import { type AttackedUpdate, type AttackOptions, type AttackState, attackOptionKeys, attackStage } from './attack.js';
import { type BoundaryWalk, boundaryWalk, type WalkState } from './boundary-walk.js';
import { type Candidate, perturbationScale, schedule, shrinkingStep } from './hemisphere.js';
import { type AttackResult, attackRecord } from './record.js';

export interface HopSkipJumpOptions extends AttackOptions {
  /** T */
  readonly iterations?: number;
  /** Draws in one forward pass, for models whose first layer is not dense. */
  readonly chunk?: number;
}

/**
 * HopSkipJump, untargeted, ℓ2 (Chen, Jordan, Wainwright 2020, "HopSkipJumpAttack: a query-efficient decision-based attack", algorithm 2).
 * At a point x_t of the boundary the normal u is estimated from ⌊100√i⌋ classes. The attack steps out along u, and back to the boundary on the
 * segment towards the sample:
 *
 *   x_t + ξ u,  ξ = ‖x_t − x‖/√i, halved until the point is adversarial;
 *
 *   u from points x_t + δ z/‖z‖,  δ = ‖x_t − x‖/d; at first a tenth of the box.
 *
 * Constants are those of the authors' code (Jianbo-Lab/HSJA). Differences: the start is that of the Tangent Attack (`start.ts`), of whose
 * starts the nearest is taken, and not uniform noise over the box; δ is measured at the boundary point, there at the point before its
 * binary search; the boundary is found to 10⁻⁵ of a segment, there to d^−1.5. A step below 1e-8 is given up, as by the Tangent Attack.
 *
 * It asks for classes only. Bound, order, state, failure: those of `attackStage`; the engine breathes as in the Tangent Attack.
 *
 * @example updates$.pipe(atEnd(), hopSkipJump(model, test, { samples: 1000, seed }))
 */
export function hopSkipJump(
  model: Model,
  samples: LabeledSamples,
  options: HopSkipJumpOptions,
): StageOperator<AttackedUpdate, AttackResult, AttackState<WalkState>> {
  checkOptions('hopSkipJump', options, { iterations: 'optional', chunk: 'optional', ...attackOptionKeys });
  const { iterations = 40 } = options;
  return attackStage('hop skip jump', attackRecord('HopSkipJump'), model, samples, options, (setting) =>
    boundaryWalk('hop skip jump', setting, { ...options, iterations }, HOP_SKIP_JUMP),
  );
}

/** x_t + R u */
const outwards: Candidate = (_x, x_t, u, radius, into) => {
  for (let i = 0; i < into.length; i++) into[i] = x_t[i]! + radius * u[i]!;
};

const HOP_SKIP_JUMP: BoundaryWalk = {
  draws: schedule.evaluations,
  scale: perturbationScale,
  noise: (shape, lie, keys) =>
    tf.tidy(() => {
      const z = statelessNormal(shape, keys);
      return tf.div(z, tf.norm(z, 'euclidean', lie === 'rows' ? 1 : 0, true));
    }),
  step(group, normals, i, wanted) {
    shrinkingStep(group, normals, i, wanted, outwards);
    group.toBoundary(group.running((slot) => wanted[slot] === 1));
  },
  starts: 1,
  heats: () => 1,
};

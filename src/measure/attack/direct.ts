import type { Model } from '../../learn/model/model-model.js';
import { tf } from '../../tensorflow/device-tf.js';
import { classes } from '../oracle.js';
import type { Estimator } from './attack-normal.js';
import type { Limits } from './box.js';

/**
 * The evaluations of any model: each draw is a whole input. A unit is one chunk of one sample's draws; the noise of a chunk is
 * drawn once and serves all samples of the group.
 *
 * @param rows draws a forward pass, at most: chunks are of one size, for a small one at the end would cost more a draw
 */
export function direct(model: Model, group: number, box: Limits, rows: number): Estimator {
  const d = model.inputShape.reduce((size, extent) => size * extent, 1);
  let kept: { chunk: number; z: tf.Tensor } | undefined;
  const chunks = (n: number): number => Math.ceil(n / rows);
  const dispose = (): void => {
    kept?.z.dispose();
    kept = undefined;
  };

  return {
    units: (n) => chunks(n) * group,
    dispose,

    add(weights, { points, scales, predicted, wanted }, n, unit, noise, sums) {
      const chunk = Math.floor(unit / group);
      const slot = unit % group;
      if (wanted[slot] === 1) {
        const size = Math.ceil(n / chunks(n));
        const draws = Math.min(size, n - chunk * size);
        if (kept?.chunk !== chunk) {
          dispose();
          kept = { chunk, z: noise(chunk, [draws, d]) };
        }
        const { z } = kept;
        const delta = scales[slot]!;
        tf.tidy(() => {
          const x = tf.tensor1d(points.subarray(slot * d, (slot + 1) * d));
          const perturbed = box.clip(tf.add(tf.mul(z, delta), x));
          const found = classes(model.logits(weights, tf.reshape(perturbed, [draws, ...model.inputShape])));
          const indicators = new Float32Array(2 * draws).fill(1, draws);
          for (let k = 0; k < draws; k++) {
            if (found[k] === -1) sums.broken[slot] = 1;
            if (found[k] === predicted[slot]) continue;
            indicators[k] = 1;
            sums.changed[slot]!++;
          }
          const moved = tf.sub(perturbed, x) as tf.Tensor2D; // δp
          const added = tf.matMul(tf.tensor2d(indicators, [2, draws]), moved).dataSync();
          for (let i = 0, at = slot * d; i < d; i++, at++) {
            sums.overChanged[at]! += added[i]! / delta;
            sums.overAll[at]! += added[d + i]! / delta;
          }
        });
      }
      if (unit === this.units(n) - 1) dispose(); // the next iteration has other noise
    },
  };
}

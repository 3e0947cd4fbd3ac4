import type { Model, Weights } from '../learn/model/model-model.js';
import { tf } from '../tensorflow/device-tf.js';

/** The class of each row of logits [n, classes], ties to the lower one; −1 where any logit of the row is NaN. */
export function classes(logits: tf.Tensor2D): Int32Array {
  const [n, k] = logits.shape;
  const values = logits.dataSync();
  const best = new Int32Array(n);
  for (let row = 0, at = 0; row < n; row++, at += k) {
    let top = 0;
    for (let j = 0; j < k; j++) {
      const value = values[at + j]!;
      if (Number.isNaN(value)) {
        top = -1;
        break;
      }
      if (value > values[at + top]!) top = j;
    }
    best[row] = top;
  }
  return best;
}

/** What the model says of `n` inputs that lie one after the other in `rows`. */
export function ask(model: Model, weights: Weights, rows: Float32Array, n: number): Int32Array {
  const logits = tf.tidy(() => model.logits(weights, tf.tensor(rows, [n, ...model.inputShape])));
  const found = classes(logits);
  logits.dispose();
  return found;
}

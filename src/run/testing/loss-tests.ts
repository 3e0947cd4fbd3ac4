import assert from 'node:assert/strict';
import { checkOptions } from '../../flow/options.js';
import { isOfViews, type Loss, type LossValue, type ViewsLoss, type ViewsLossValue } from '../../learn/loss/loss.js';
import { tf } from '../../tensorflow/tf.js';
import {
  assertSlopes,
  differencesOf,
  labelsOf,
  type PartTest,
  pairing,
  partTests,
  same,
  samplesOf,
  valuesOf,
} from './part-test.js';

export interface LossTestOptions {
  /** Builds the loss, over labels or over views. */
  readonly make: () => Loss | ViewsLoss;
  /** Columns of the logits, or of the projections. By default 3. */
  readonly classes?: number;
}

const n = 6; // samples, of a loss over views in each view

/**
 * The rules for a loss: a scalar whose gradient is its slope; over labels the mean of the samples, so that a batch may be split; a function of
 * its arguments alone, which stay as they were; no tensor left behind.
 *
 * @example for (const { name, run } of lossTests({ make: () => focal(2) })) test(name, run)
 */
export function lossTests(options: LossTestOptions): PartTest[] {
  const { make, classes = 3 } = checkOptions('lossTests', options, { make: 'required', classes: 'optional' });
  const logitsOf = (loss: Loss | ViewsLoss) =>
    samplesOf([classes], isOfViews(loss) ? loss.views * n : n, 3) as tf.Tensor2D;
  const at = (loss: Loss | ViewsLoss, logits: tf.Tensor2D): LossValue | ViewsLossValue =>
    isOfViews(loss) ? loss.of(logits) : loss.of(logits, labelsOf(classes, logits.shape[0]));
  const numberAt = (loss: Loss | ViewsLoss, logits: tf.Tensor2D): number =>
    tf.tidy(() => at(loss, logits).value.dataSync()[0]!);

  return partTests({
    'its gradient is the slope of its value'() {
      const loss = make();
      const logits = logitsOf(loss);
      const { value, gradient } = at(loss, logits);
      assert.deepEqual([value.shape, value.dtype], [[], 'float32'], 'shape and type of the value');
      assert.deepEqual(gradient.shape, logits.shape, 'shape of the gradient');
      const slopes = [1, 2, 3, 4, 5].map((key) => {
        const along = samplesOf([classes], logits.shape[0], 10 + key);
        const by = (step: number) => numberAt(loss, tf.add(logits, tf.mul(along, step)) as tf.Tensor2D);
        return { slope: pairing(gradient, along), differences: differencesOf(by) };
      });
      assertSlopes(slopes, 0.002, 'the gradient');
      const steepest = Math.max(...slopes.map(({ slope }) => Math.abs(slope)));
      assert.ok(steepest > 0.01, `it is nowhere steeper than ${steepest}`);
    },

    'over labels it is the mean of its samples'() {
      const loss = make();
      if (isOfViews(loss)) return;
      const logits = logitsOf(loss);
      const labels = [...labelsOf(classes, n).dataSync()];
      const one = (i: number) =>
        loss.of(tf.slice(logits, [i, 0], [1, classes]), tf.tensor1d([labels[i]!], 'int32')).value.dataSync()[0]!;
      const mean = labels.reduce((sum, _, i) => sum + one(i), 0) / n;
      const whole = numberAt(loss, logits);
      assert.ok(Math.abs(whole - mean) < 1e-4 * (1 + Math.abs(mean)), `it is ${whole}, and of its samples ${mean}`);
    },

    'the same logits give the same bits, stay as they were, and leave no tensor behind'() {
      const loss = make();
      const logits = logitsOf(loss);
      const known = valuesOf([logits]);
      const once = (): number[] => {
        const labels = labelsOf(classes, n);
        const made = isOfViews(loss) ? loss.of(logits) : loss.of(logits, labels);
        const values = valuesOf(Object.values(made));
        assert.ok(!labels.isDisposed, 'it disposed of the labels');
        tf.dispose([labels, ...(Object.values(made) as tf.Tensor[])]);
        return values;
      };
      const first = once();
      const before = tf.memory().numTensors;
      same(once(), first, 'value and gradient, asked for again');
      assert.equal(tf.memory().numTensors, before, 'tensors after it was computed, and before');
      same(valuesOf([logits]), known, 'logits that it was given');
    },
  });
}

import assert from 'node:assert/strict';
import { checkOptions } from '../../flow/options.js';
import { crossEntropy } from '../../learn/loss/cross-entropy.js';
import { gradientsOf } from '../../learn/loss/gradients.js';
import { featurePullOf, linearizationOf } from '../../learn/model/autodiff.js';
import { type Model, type Weights, weight } from '../../learn/model/model.js';
import { lipschitz } from '../../measure/certificate/lipschitz.js';
import { tf } from '../../tensorflow/tf.js';
import { labelsOf, type PartTest, pairing, partTests, same, samplesOf, valuesOf } from './part-test.js';

export interface ModelTestOptions {
  /** Builds the model, small: its gradients are compared with finite differences. */
  readonly make: () => Model;
  /** Samples of a batch. By default 4. */
  readonly samples?: number;
  /** How far a gradient may be from a finite difference, as a share of it. By default 0.03; deep networks of ReLU, with their kinks, need 0.1. */
  readonly tolerance?: number;
}

/**
 * The rules for a model: first weights are a function of the seed; logits are the readout of the features, sample by sample; gradients and
 * Jacobians are the slopes of what they belong to; σ's layers name kernels that are there; the bound by its parts holds; no tensor is left.
 *
 * A gradient is compared along itself and a random direction, in training mode.
 *
 * @example for (const { name, run } of modelTests({ make: () => cnn(4) })) test(name, run)
 */
export function modelTests(options: ModelTestOptions): PartTest[] {
  const {
    make,
    samples: n = 4,
    tolerance = 0.03,
  } = checkOptions('modelTests', options, { make: 'required', samples: 'optional', tolerance: 'optional' });
  const begun = () => {
    const model = make();
    return { model, weights: model.start(1), x: samplesOf(model.inputShape, n, 2), labels: labelsOf(model.classes, n) };
  };

  return partTests({
    'its first weights are a function of the seed'() {
      const model = make();
      const bits = (seed: number) =>
        [...model.start(seed)].map(([name, one]) => [name, one.shape, [...one.dataSync()]] as const);
      const [first, again, other] = [bits(1), bits(1), bits(2)];
      for (const [i, [name, shape, values]] of first.entries()) {
        assert.deepEqual(again[i]?.slice(0, 2), [name, shape], 'names and shapes of the weights, by one seed');
        same(again[i]![2], values, `weights '${name}', by one seed`);
      }
      assert.notEqual(JSON.stringify(other), JSON.stringify(first), 'weights by seeds 1 and 2');
    },

    'every layer that has a σ names a kernel of its kind among the weights'() {
      const { model, weights } = begun();
      for (const { name, kernel, kind } of [...model.featureLayers, model.readout]) {
        assert.equal(weights.get(kernel)?.rank, kind === 'dense' ? 2 : 4, `rank of '${kernel}' of layer '${name}'`);
      }
      for (const name of model.statistics ?? []) assert.ok(weights.has(name), `there is no statistic '${name}'`);
    },

    'its logits are the readout of its features, each sample by itself'() {
      const { model, weights, x } = begun();
      const features = model.features(weights, x);
      const logits = model.logits(weights, x);
      assert.deepEqual(logits.shape, [n, model.classes], 'shape of the logits');
      assert.deepEqual([features.rank, features.shape[0]], [2, n], 'rank and rows of the features');
      const { kernel, factor = 1 } = model.readout;
      const away = (rows: tf.Tensor) => tf.sub(rows, tf.slice(rows, [0], [1])); // without the bias
      const read = tf.mul(tf.matMul(away(features) as tf.Tensor2D, weight<tf.Tensor2D>(weights, kernel)), factor);
      assertClose(away(logits), read, 1e-4, 'differences of logits, and the readout of those of features');
      for (let i = 0; i < n; i++) {
        const alone = model.logits(weights, tf.slice(x, [i], [1]));
        assertClose(alone, tf.slice(logits, [i], [1]), 1e-4, `logits of sample ${i} alone, and in a batch`);
      }
    },

    'its gradients are the slopes of the loss, in training mode'() {
      const { model, weights, x, labels } = begun();
      const loss = crossEntropy();
      const lossAt = (at: Weights): number => gradientsOf(model, loss, at, x, labels).loss.dataSync()[0]!;
      const { gradients } = gradientsOf(model, loss, weights, x, labels);
      const trained = [...weights.keys()].filter((name) => !model.statistics?.includes(name));
      assert.deepEqual([...gradients.keys()].sort(), trained.sort(), 'names of the gradients, and of the weights');
      for (const [name, gradient] of gradients) {
        const own = weights.get(name)!;
        assert.deepEqual(gradient.shape, own.shape, `shape of the gradient of '${name}'`);
        const along = tf.tidy(() => {
          const random = tf.reshape(samplesOf(gradient.shape, 1, 6), gradient.shape);
          const unit = (one: tf.Tensor) => tf.div(one, tf.add(tf.sqrt(tf.sum(tf.square(one))), 1e-12));
          return tf.add(unit(gradient), unit(random));
        });
        const by = (step: number) => lossAt(new Map([...weights, [name, tf.add(own, tf.mul(along, step))]]));
        assertSlope(
          (by(0.0005) - by(-0.0005)) / 0.001,
          pairing(gradient, along),
          tolerance,
          `the gradient of '${name}'`,
        );
      }
    },

    'its Jacobian, where it has one, is that of its features'() {
      const { model, weights, x } = begun();
      const at = linearizationOf(model)?.(weights, x);
      const p = samplesOf([x.size / n], n, 3) as tf.Tensor2D;
      const features = (step: number) => model.features(weights, tf.add(x, tf.mul(tf.reshape(p, x.shape), step)));
      const q = samplesOf([features(0).shape[1]], n, 4) as tf.Tensor2D;
      const forward = at?.forward(p) ?? model.jacobian?.forward(weights, x, p);
      const backward = at?.backward(q) ?? model.jacobian?.backward(weights, x, q);
      if (forward === undefined || backward === undefined) return;
      const difference = tf.div(tf.sub(features(1e-4), features(-1e-4)), 2e-4);
      assertClose(forward, difference, tolerance, 'products with the Jacobian, and differences of the features');
      const pulled = featurePullOf(model)?.(weights, x, (found, first) => {
        assertClose(found, tf.slice(features(0), [first], [found.shape[0]]), 1e-5, 'features of both passes together');
        return tf.slice(q, [first], [found.shape[0]]) as tf.Tensor2D;
      });
      if (pulled !== undefined) assertClose(pulled[1], backward, 1e-5, 'the product of both passes together');
      const [across, along] = [pairing(backward, p), pairing(forward, q)];
      assert.ok(Math.abs(across - along) < 1e-3 * (1 + Math.abs(along)), `qᵀ(Jp) is ${along}, and (Jᵀq)ᵀp ${across}`);
    },

    'the bound by its parts, where it names them, holds'() {
      const { model, weights, x } = begun();
      if (model.parts === undefined) return;
      const bound = lipschitz('model tests', model, weights).l2;
      const other = tf.add(x, tf.mul(samplesOf(model.inputShape, n, 9), 0.1));
      const lengths = (rows: tf.Tensor) => valuesOf([tf.norm(tf.reshape(rows, [n, -1]), 2, 1)]);
      const moved = lengths(tf.sub(model.features(weights, other), model.features(weights, x)));
      for (const [i, by] of lengths(tf.sub(other, x)).entries()) {
        const text = `features of sample ${i} move by ${moved[i]} where it moves by ${by}, and the bound is ${bound}`;
        assert.ok(moved[i]! <= bound * by * (1 + 1e-4), text);
      }
    },

    'it leaves no tensor behind'() {
      const { model, weights, x, labels } = begun();
      const all = (): void => {
        const { statistics, gradients, ...scalars } = gradientsOf(model, crossEntropy(), weights, x, labels);
        const made = [...gradients.values(), ...(statistics?.values() ?? []), ...Object.values(scalars)];
        tf.dispose([...made, model.features(weights, x), model.logits(weights, x), ...model.start(2).values()]);
      };
      all();
      const before = tf.memory().numTensors;
      all();
      assert.equal(tf.memory().numTensors, before, 'tensors after features, logits and gradients, and before them');
      assert.ok(![x, labels, ...weights.values()].some(({ isDisposed }) => isDisposed), 'it disposed of what is read');
    },
  });
}

function assertSlope(difference: number, slope: number, tolerance: number, name: string): void {
  const text = `${name} has slope ${slope}, and the loss ${difference}`;
  assert.ok(Math.abs(difference - slope) < 0.002 + tolerance * Math.abs(slope), text);
}

/** @param within of the Euclidean norm of `b` */
function assertClose(a: tf.Tensor, b: tf.Tensor, within: number, names: string): void {
  assert.deepEqual(a.shape, b.shape, `shapes of ${names}`);
  const [apart, norm] = tf.tidy(() => [tf.sub(a, b), b].map((one) => Math.sqrt(pairing(one, one))));
  assert.ok(apart! <= within * (norm! + 1e-6), `${names} differ by ${apart}, of ${norm}`);
}

import assert from 'node:assert/strict';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import type { Stage, Step } from '../../flow/stage.js';
import { mlp } from '../../learn/model/mlp.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { AttackedUpdate, AttackOptions, AttackState } from '../../measure/attack/attack.js';
import type { AttackResult } from '../../measure/attack/record.js';
import type { LabeledSamples } from '../../measure/inputs.js';
import { tf } from '../../tensorflow/tf.js';
import { type PartTest, partTests, same, samplesOf, updateWith } from './part-test.js';

export interface AttackTestOptions<S> {
  /** Builds the attack, as a pipeline does, with what keeps it short here; it takes the options it is handed over its own. */
  readonly make: (
    model: Model,
    samples: LabeledSamples,
    options: AttackOptions,
  ) => Stage<AttackedUpdate, AttackResult, AttackState<S>>;
}

const box = { min: -2, max: 2 };

/**
 * The rules for an attack: each sample once, its point verified, inside the box and as far away as it says; the budget held; restored at every
 * step the same rest; tensors given back; a network without another class, or without numbers, is an outcome.
 *
 * It is tried on an MLP 12-16-3 whose classes are regions of some size: an attack that finds no point there fails.
 *
 * @example for (const { name, run } of attackTests({ make: descent })) test(name, run)
 */
export function attackTests<S>(options: AttackTestOptions<S>): PartTest[] {
  const { make } = checkOptions('attackTests', options, { make: 'required' });
  type Attack = ReturnType<typeof make>;
  const stepsOf = (attack: Attack, from: AttackState<S>, weights: Weights) =>
    attack.next(from, updateWith(weights)) as Iterable<Step<AttackState<S>, AttackResult>>;
  const resultsOf = (attack: Attack, weights: Weights) =>
    [...stepsOf(attack, attack.start(), weights)].flatMap(([, result]) => result ?? []);

  return partTests({
    'each sample once, its point verified, inside the box, of another class, and as far away as it says'() {
      const { model, weights, samples } = network(10);
      const options = { samples: 20, seed: 1, box, group: 4, choose: 'all' } as const;
      const results = resultsOf(make(model, samples, options), weights);
      assert.deepEqual(
        results.map(({ index }) => index).sort((a, b) => a - b),
        [...Array(10).keys()],
        'samples',
      );
      for (const { index, original, adversarial, distance, total, ...one } of results) {
        assert.equal(total, 10);
        assert.equal(one.outcome, index === 1 ? 'already-misclassified' : 'found', `outcome of sample ${index}`);
        if (index === 1) continue;
        const outside = adversarial.find((value) => value < box.min || value > box.max);
        assert.equal(outside, undefined, `value outside of the box, in the point of sample ${index}`);
        const away = Math.hypot(...adversarial.map((value, i) => value - original[i]!));
        assert.ok(Math.abs(away - distance) < 1e-5, `the point of sample ${index} is ${away} away, not ${distance}`);
        const logits = tf.tidy(() => tf.argMax(model.logits(weights, tf.tensor2d(adversarial, [1, 12])), 1).dataSync());
        assert.equal(logits[0], one.adversarialLabel, `class of the point of sample ${index}`);
        assert.notEqual(one.adversarialLabel, one.predicted, `class of the point of sample ${index}`);
      }
    },

    'restored at every yield, the rest is the same; no tensors are left over'() {
      const { model, weights, samples } = network(4);
      const made = () => make(model, samples, { samples: 3, seed: 4, box, group: 2, choose: 'all' });
      const before = tf.memory().numTensors;
      const whole = [...stepsOf(made(), { phase: 'rest' }, weights)];
      assert.deepEqual(whole.at(-1), [{ phase: 'rest' }], 'the last step');
      for (let at = 0; at < whole.length - 1; at++) {
        const rest = [...stepsOf(made(), structuredClone(whole[at]![0]), weights)];
        same(rest, whole.slice(at + 1), `the rest after step ${at}`);
      }
      for (const _ of stepsOf(made(), { phase: 'rest' }, weights)) break;
      assert.equal(tf.memory().numTensors, before, 'tensors after the attacks, and before them');
    },

    'a budget is never passed'() {
      const { model, weights, samples } = network(4);
      for (const budget of [1, 30, 300]) {
        const results = resultsOf(make(model, samples, { samples: 4, seed: 0, box, budget, choose: 'all' }), weights);
        assert.equal(results.length, 4, 'results');
        const most = Math.max(...results.map(({ queries }) => queries));
        assert.ok(most <= budget, `a sample took ${most} queries of ${budget}`);
      }
    },

    'a network without another class never flips, and one without numbers is an outcome'() {
      const zeros = {
        name: 'zeros',
        size: 1,
        sampleShape: [12],
        values: new Float32Array(12),
        labels: new Uint8Array(1),
      };
      const outcome = (logits: number[]) => {
        const model = constant(logits);
        const options = { samples: 1, seed: 0, choose: 'all' } as const;
        return resultsOf(make(model, zeros, options), model.start(0))[0]?.outcome;
      };
      assert.equal(outcome([1, 0]), 'never-flipped');
      assert.equal(outcome([0, Number.NaN]), 'not-a-number');
    },

    'it is named in its errors'() {
      const { model, samples } = network(2);
      const { name } = make(model, samples, { samples: 1, seed: 0, box });
      const refused = (options: AttackOptions, text: string) =>
        assert.throws(
          () => make(model, samples, options),
          (error) => error instanceof WeirError && error.message.includes(`stage '${name}'${text}`),
        );
      refused({ samples: 0, seed: 0, box }, ' was given samples = 0');
      refused({ samples: 1, seed: 0, box: { min: 1, max: 0 } }, ': the box');
    },
  });
}

/** A network whose classes are regions of some size, and samples that it gets right but for the second. */
function network(size: number): { model: Model; weights: Weights; samples: LabeledSamples } {
  const { first: _, ...model } = mlp([12, 16, 3], { scale: 'none' });
  const weights: Weights = new Map([...model.start(2)].map(([name, w]) => [name, tf.mul(w, 60)]));
  const x = tf.clipByValue(samplesOf([12], size, 5), -1, 1);
  const labels = Uint8Array.from(tf.argMax(model.logits(weights, x), 1).dataSync());
  const samples = { name: 'samples', size, sampleShape: [12], values: x.dataSync<'float32'>() };
  return { model, weights, samples: { ...samples, labels: labels.map((k, i) => (i === 1 ? (k + 1) % 3 : k)) } };
}

/** A network with the same logits for every input, whose gradients are 0. */
function constant(logits: number[]): Model {
  const { first: _, pullback: __, ...model } = mlp([12, 4, logits.length]);
  return {
    ...model,
    logits: (_, x) =>
      tf.tidy(
        () => tf.add(tf.mul(tf.sum(x, 1, true), tf.zeros([1, logits.length])), tf.tensor1d(logits)) as tf.Tensor2D,
      ),
    jacobian: { forward: (_, x) => tf.zeros([x.shape[0]!, 4]), backward: (_, x) => tf.zeros([x.shape[0]!, 12]) },
  };
}

import assert from 'node:assert/strict';
import type { Data } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { crossEntropy } from '../../learn/loss/cross-entropy.js';
import { gradientsOf } from '../../learn/loss/gradients.js';
import type { Loss } from '../../learn/loss/loss.js';
import { mlp } from '../../learn/model/mlp.js';
import { type Gradients, type Model, normal, type Weights } from '../../learn/model/model.js';
import { sgd } from '../../learn/optimizer/sgd.js';
import type { Regularizer, RegularizerInput, Strength } from '../../learn/regularizer/regularizer.js';
import { isSpectral } from '../../learn/regularizer/spectral.js';
import { trainStage } from '../../learn/train.js';
import type { TrainState } from '../../learn/update.js';
import { tf } from '../../tensorflow/tf.js';
import {
  assertSlopes,
  batchFor,
  differencesOf,
  labelsOf,
  type PartTest,
  pairing,
  partTests,
  type Slope,
  same,
  samplesOf,
  valuesOf,
} from './part-test.js';

export interface RegularizerTestOptions {
  /** Builds the regularizer for a model, as a pipeline does, with that γ and that burn-in. */
  readonly make: (model: Model, strength: Strength) => Regularizer;
  /** A small network to try it on, without running statistics. By default an MLP 5-7-6-3 with weights of N(0, 0.7²). */
  readonly model?: () => Model;
}

/**
 * The rules for a regularizer: its gradient is the slope of its value at most of some random points, so that a kink refuses none; what it is given stays as it was, and what it makes is given back; it
 * acts after its burn-in alone; training with it lowers it; saved and loaded at any update, the training ends in the same bits.
 *
 * @example for (const { name, run } of regularizerTests({ make: orthogonal })) test(name, run)
 */
export function regularizerTests(options: RegularizerTestOptions): PartTest[] {
  const { make, model: build = small } = checkOptions('regularizerTests', options, {
    make: 'required',
    model: 'optional',
  });
  const begun = (model: Model, strength: Strength = { gamma: 3 }): Regularizer => {
    const one = make(model, strength);
    if (isSpectral(one)) one.ticked = true; // as by a spectralTick
    return one;
  };
  const given = (model: Model): RegularizerInput => {
    if (model.statistics?.length) {
      throw new WeirError(`${model.name} has running statistics`, 'try the regularizer on a model without');
    }
    return { weights: model.start(4), x: samplesOf(model.inputShape, 8, 5), labels: labelsOf(model.classes, 8) };
  };
  /** Outside of `tf.tidy`, which would hide what it leaves behind. */
  const valueAt = (one: Regularizer, model: Model, input: RegularizerInput): number => {
    const features = model.features(input.weights, input.x);
    const value = one.value({ ...input, features });
    features.dispose();
    return value;
  };

  /** 30 updates, in two epochs; saved, and begun anew with what was saved, after those in `stops`. */
  function trained(model: Model, one: () => Regularizer | undefined, stops: readonly number[] = []): TrainState {
    const begin = () => {
      const regularizer = one();
      const optimizer = sgd({ rate: 0.05 });
      return trainStage(model, { loss: crossEntropy(), optimizer, ...(regularizer && { regularizer }), seed: 4 });
    };
    let stage = begin();
    let state = stage.start();
    for (let number = 1; number <= 30; number++) {
      [state] = stage.next(state, { ...batchFor(model, 1, 15, 8), ...placeOf(number) });
      if (!stops.includes(number)) continue;
      const saved: Data = structuredClone(stage.save(state));
      stage.dispose(state);
      stage = begin();
      state = stage.load(saved);
    }
    return state;
  }

  return partTests({
    'its gradient is the slope of its value'() {
      const model = build();
      const slopes = new Map<string, Slope[]>();
      for (let place = 0; place < 5; place++) {
        const one = begun(model);
        const first = given(model);
        const weights: Weights = new Map([...first.weights].map(([name, w]) => [name, nearby(w, place)]));
        const input = { ...first, weights };
        for (const [name, gradient] of gradientsBy(one, model, input)) {
          const along = samplesOf(gradient.shape, 1, 8 + place).reshape(gradient.shape);
          const differences = differencesOf((step) => {
            const moved = tf.add(weights.get(name)!, tf.mul(along, step));
            return valueAt(one, model, { ...input, weights: new Map([...weights, [name, moved]]) });
          });
          slopes.set(name, [...(slopes.get(name) ?? []), { slope: pairing(gradient, along), differences }]);
        }
      }
      for (const [name, own] of slopes) assertSlopes(own, 0.01, `the gradient of '${name}'`);
      const steepest = Math.max(...[...slopes.values()].flat().map(({ slope }) => Math.abs(slope)));
      assert.ok(steepest > 0.05, `no gradient is steeper than ${steepest}: the term does nothing`);
    },

    'what it is given stays as it was, and it leaves no tensor behind'() {
      const model = build();
      const one = begun(model);
      const input = given(model);
      valueAt(one, model, input); // what it keeps for good
      const bits = () => valuesOf([...input.weights.values(), input.x, input.labels]);
      const [before, known] = [tf.memory().numTensors, bits()];
      tf.dispose([...gradientsBy(one, model, input).values()]);
      valueAt(one, model, input);
      assert.equal(tf.memory().numTensors, before, 'tensors after a gradient and a value, and before them');
      same(bits(), known, 'weights, samples and labels that it was given');
    },

    'it acts after its burn-in alone, never where γ = 0, and refuses a γ below 0'() {
      const one = make(build(), { gamma: 1, from: { epoch: 160 } });
      assert.deepEqual(
        [160, 161].map((epoch) => one.active(epoch)),
        [false, true],
        'active in epochs 160 and 161, with a burn-in of 160',
      );
      assert.equal(make(build(), { gamma: 0 }).active(1), false, 'active, with γ = 0');
      assert.throws(() => make(build(), { gamma: -1 }), WeirError);
    },

    'training with it leaves its value lower'() {
      const model = build();
      const probe = begun(model, { gamma: 1 });
      const { x, labels } = given(model);
      const after = (one?: Regularizer) =>
        valueAt(probe, model, { weights: trained(model, () => one).weights, x, labels });
      const [without, under] = [after(), after(begun(model, { gamma: 1 }))];
      assert.ok(
        under < LOWER * without,
        `its value is ${under} after 30 updates of training with it at γ = 1, and ${without} without it: it should be less than ${LOWER * without}, ${100 * LOWER} % of that`,
      );
    },

    'saved and loaded after every update, training goes on to the same bits'() {
      const model = build();
      const every = Array.from({ length: 29 }, (_, i) => i + 1);
      const one = () => begun(model, { gamma: 0.1, from: { epoch: 1 } });
      const bits = (state: TrainState) => valuesOf(state.weights.values());
      same(bits(trained(model, one, every)), bits(trained(model, one)), 'weights after 30 updates');
    },
  });
}

/** The share of its value without it that training with it has to fall below. */
const LOWER = 0.95;

/** Weights beside others, at the first place the same: biases, which begin at 0, stand at a kink of many a term. */
const nearby = (w: tf.Tensor, place: number): tf.Tensor =>
  place === 0 ? w : tf.add(w, tf.mul(samplesOf(w.shape, 1, 100 + place).reshape(w.shape), 0.05));

const small = (): Model => mlp([5, 7, 6, 3], { initialization: normal(0.7) });

const placeOf = (number: number) => ({
  position: 8 * number,
  epoch: number <= 15 ? 1 : 2,
  remaining: 8 * (number <= 15 ? 15 - number : 30 - number),
});

/** A loss whose gradient is 0, so that the regularizer's is left. */
const zero: Loss = { name: 'zero', of: (logits) => ({ value: tf.scalar(0), gradient: tf.zerosLike(logits) }) };

/** Its gradient with respect to every weight, by whichever way it goes. */
function gradientsBy(one: Regularizer, model: Model, input: RegularizerInput): Gradients {
  const { weights, x, labels } = input;
  const { loss, correct, gradients } = gradientsOf(model, zero, weights, x, labels, one.featuresGradient?.bind(one));
  tf.dispose([loss, correct]);
  one.addSampleGradients?.(input, gradients);
  one.addGradients?.({ weights }, gradients);
  return gradients;
}

import assert from 'node:assert/strict';
import type { Data } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { checkOptions } from '../../flow/options.js';
import { crossEntropy } from '../../learn/loss/cross-entropy.js';
import { mlp } from '../../learn/model/mlp.js';
import type { Model, Weights } from '../../learn/model/model.js';
import type { Optimizer } from '../../learn/optimizer/optimizer.js';
import { trainStage } from '../../learn/train.js';
import type { TrainState, Update } from '../../learn/update.js';
import { tf } from '../../tensorflow/tf.js';
import { batchFor, type PartTest, partTests, same, valuesOf } from './part-test.js';

export interface OptimizerTestOptions {
  /** Builds the optimizer, the same each time. */
  readonly make: () => Optimizer;
  /** A small network to try it on. By default an MLP 2-8-2. */
  readonly model?: () => Model;
}

/**
 * The rules for an optimizer: it moves every trained weight; saved and loaded at any update, with batches accumulated and epochs that they do
 * not fill, it ends in the same bits; it takes the tensors that it is given; an update without its state is refused.
 *
 * @example for (const { name, run } of optimizerTests({ make: () => lion({ rate: 0.01 }) })) test(name, run)
 */
export function optimizerTests(options: OptimizerTestOptions): PartTest[] {
  const { make, model: build = () => mlp([2, 8, 2]) } = checkOptions('optimizerTests', options, {
    make: 'required',
    model: 'optional',
  });
  /** 12 updates; saved, and begun anew with what was saved, after those in `stops`. */
  function trained(stops: readonly number[] = []): { saved: Data; averages: number[][] } {
    const model = build();
    const begin = () =>
      trainStage(model, { loss: crossEntropy({ smoothing: 0.1 }), optimizer: make(), accumulate: 2, seed: 3 });
    let stage = begin();
    let state = stage.start();
    const averages: number[][] = [];
    for (let number = 1; number <= 18; number++) {
      const [next, update] = stage.next(state, batchFor(model, number, 3, 4)) as readonly [TrainState, Update?];
      state = next;
      if (update === undefined) continue;
      averages.push(valuesOf(update.averages?.values() ?? []));
      if (!stops.includes(update.number)) continue;
      const saved = structuredClone(stage.save(state));
      stage.dispose(state);
      stage = begin();
      state = stage.load(saved);
    }
    const saved = stage.save(state);
    stage.dispose(state);
    return { saved, averages };
  }

  return partTests({
    'it moves every trained weight'() {
      const model = build();
      const weights = model.start(3);
      const before = new Map([...weights].map(([name, tensor]) => [name, [...tensor.dataSync()]]));
      const statistics = new Set(model.statistics);
      const gradients = [...like(weights, 1)].filter(([name]) => !statistics.has(name));
      const moved = make().move(weights, new Map(gradients), new Map(), { epoch: 1, number: 1 });
      for (const [name, tensor] of moved.weights) {
        const stands = JSON.stringify([...tensor.dataSync()]) === JSON.stringify(before.get(name));
        assert.equal(stands, statistics.has(name), `'${name}' stands still`);
      }
    },

    'saved and loaded after any update, with accumulated batches, it ends in the same bits'() {
      same(trained([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), trained(), 'what it ends with');
    },

    'it gives back every tensor'() {
      trained();
      const before = tf.memory().numTensors;
      trained();
      assert.equal(tf.memory().numTensors, before, 'tensors after 12 updates, and before them');
    },

    'a later update without its state, or with that of another, is refused'() {
      const weights = () => build().start(3);
      const gradients = () => like(weights(), 1);
      const { memory } = make().move(weights(), gradients(), new Map(), { epoch: 1, number: 1 });
      const foreign = () => new Map([['foreign/weight', tf.scalar(1)]]);
      const at = { epoch: 1, number: 2 };
      assert.throws(() => make().move(weights(), gradients(), foreign(), at), WeirError);
      if (memory.size > 0) assert.throws(() => make().move(weights(), gradients(), new Map(), at), WeirError);
    },
  });
}

const like = (weights: Weights, value: number): Map<string, tf.Tensor> =>
  new Map([...weights].map(([name, { shape }]) => [name, tf.fill(shape, value)]));

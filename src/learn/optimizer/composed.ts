import { type MonoTypeOperatorFunction, map } from 'rxjs';
import { WeirError } from '../../flow/errors.js';
import { checkNumbers } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import type { Update } from '../update.js';
import type { SavedTensors } from '../weights/saved-tensors.js';
import { checkOptimizer, type Optimizer } from './optimizer.js';
import type { UpdateIndex } from './schedule.js';

/**
 * Clips the gradients before another optimizer takes them: where their common norm N, of all weights, is above `max`, each is
 * multiplied by max / (N + 1e-6), as torch.nn.utils.clip_grad_norm_ does. A regularizer's gradient is in N; a weight decay is not.
 *
 * Memory: that of the optimizer.
 *
 * @param max above 0
 * @throws {WeirError} for another
 * @example clipByNorm(1, adamw({ rate: 1e-3 }))
 */
export function clipByNorm(max: number, optimizer: Optimizer): Optimizer {
  checkFirst('clipByNorm', max, '1');
  checkNumbers('clipByNorm', { max }, { above: 0 });
  checkOptimizer('clipByNorm', optimizer);
  return {
    ...around(optimizer),
    move(weights, gradients, memory, at) {
      const names = [...gradients.keys()];
      const given = [...gradients.values()];
      const clipped = tf.tidy(() => {
        const norm = tf.sqrt(tf.addN(given.map((gradient) => tf.sum(tf.square(gradient)))));
        const factor = tf.minimum(tf.div(max, tf.add(norm, 1e-6)), 1);
        return given.map((gradient) => tf.mul(gradient, factor));
      });
      tf.dispose(given);
      return optimizer.move(weights, new Map(names.map((name, i) => [name, clipped[i]!])), memory, at);
    },
  };
}

const prefix = 'average/';

/**
 * An optimizer that also keeps the exponential moving average of the weights it makes: a ← decay · a + (1 − decay) · w, a = w at the first
 * update, as torch.optim.swa_utils.AveragedModel does with `get_ema_multi_avg_fn`. The training itself is unchanged to the bit.
 *
 * Running statistics are not averaged: the newest go with the averages. `averaged()` hands on updates with the averages as weights.
 *
 * Memory: the 'average' a of every trained weight, and that of the optimizer.
 *
 * @param decay from 0 to less than 1, such as 0.999
 * @throws {WeirError} for another, and for an optimizer that keeps averages already
 * @example ema(0.999, clipByNorm(1, adamw({ rate: 1e-3 })))
 */
export function ema(decay: number, optimizer: Optimizer): Optimizer {
  checkFirst('ema', decay, '0.999');
  checkNumbers('ema', { decay }, { below: 1 });
  checkOptimizer('ema', optimizer);
  if (optimizer.averages !== undefined) {
    throw new WeirError(`ema was given optimizer '${optimizer.name}', which keeps averages already`, 'take one ema');
  }
  return {
    ...around(optimizer),
    move(weights, gradients, memory, at) {
      const trained = [...gradients.keys()];
      const [averages, own] = [true, false].map(
        (mine) => new Map([...memory].filter(([name]) => name.startsWith(prefix) === mine)),
      );
      if (at.number > 1 && averages!.size === 0) throw withoutAverages(optimizer.name, at.number);
      const moved = optimizer.move(weights, gradients, own!, at);
      const next = trained.map((name) => {
        const before = averages!.get(prefix + name);
        const weight = moved.weights.get(name)!;
        if (before === undefined) return [prefix + name, tf.clone(weight)] as const;
        const after = tf.tidy(() => tf.add(tf.mul(before, decay), tf.mul(weight, 1 - decay)));
        before.dispose();
        return [prefix + name, after] as const;
      });
      return { weights: moved.weights, memory: new Map([...moved.memory, ...next]) };
    },
    averages: (weights, memory) =>
      new Map([...weights].map(([name, weight]) => [name, memory.get(prefix + name) ?? weight])),
  };
}

/** The averages that `ema` left in the memory of an optimizer, as it was saved with these weights; undefined where it keeps none. */
export function savedAverages(weights: SavedTensors, memory: SavedTensors): SavedTensors | undefined {
  const averages = new Map(memory.map((tensor) => [tensor.name, tensor.values]));
  if (!weights.some(({ name }) => averages.has(prefix + name))) return undefined;
  return weights.map((weight) => ({ ...weight, values: averages.get(prefix + weight.name) ?? weight.values }));
}

/** @throws {WeirError} where the optimizer stands before the number */
function checkFirst(where: string, first: number, example: string): void {
  if (typeof first !== 'object' && typeof first !== 'function') return;
  throw new WeirError(
    `${where} was given ${first === null ? 'null' : `a${typeof first === 'object' ? 'n object' : ' function'}`} in the place of its number`,
    `give the number, then the optimizer: ${where}(${example}, adamw(…))`,
  );
}

const withoutAverages = (optimizer: string, number: number): WeirError =>
  new WeirError(
    `ema around optimizer '${optimizer}' has no averages at update ${number}`,
    'go on with the optimizer that the earlier updates were made with, averages included',
  );

/** What a composed optimizer has of the one inside. */
const around = (optimizer: Optimizer): Omit<Optimizer, 'move'> => ({
  name: optimizer.name,
  rate: Object.assign((at: UpdateIndex) => optimizer.rate(at), { ...optimizer.rate }), // a warm-up stays on it
  ownRates: (at) => optimizer.ownRates?.(at) ?? [],
  ...(optimizer.averages && { averages: (weights, memory) => optimizer.averages!(weights, memory) }),
});

/**
 * Hands on each update with the moving averages of its weights in the place of the weights, for what measures them: accuracy, attack,
 * σ. At update 0 they are the initial weights. Loss and accuracy of the update stay those of the training.
 *
 * Bound: holds nothing. State: none. Failure: an update of an optimizer without averages.
 *
 * @example updates$.pipe(averaged(), every({ epochs: 1 }), named('averaged accuracy', accuracy(model, test)))
 */
export const averaged = <U extends Update>(): MonoTypeOperatorFunction<U> =>
  map((update) => {
    if (update.averages !== undefined) return { ...update, weights: update.averages };
    throw new WeirError(
      `'averaged' was handed update ${update.number}, whose optimizer keeps no averages of the weights`,
      'train with one: optimizer: ema(0.999, …)',
    );
  });

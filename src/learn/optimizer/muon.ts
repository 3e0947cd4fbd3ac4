import { WeirError } from '../../flow/errors.js';
import { checkChoice, checkNumbers, checkOptions, type OptionKeys } from '../../flow/options.js';
import { tf } from '../../tensorflow/tf.js';
import type { Weights } from '../model/model.js';
import { checkOptimizer, length, type Optimizer, optimizer } from './optimizer.js';
import { checkListed, checkNames, isAmong, type OwnRate } from './rates.js';
import type { Schedule } from './schedule.js';

export interface MuonOptions {
  /** Learning rate of the matrices; PyTorch's default is 0.001. */
  readonly rate: number | Schedule;
  /** Learning rates of some matrices in the place of `rate`; a weight takes the first that names it. */
  readonly rates?: readonly OwnRate[];
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** Weight decay of the matrices, decoupled. */
  readonly decay?: number;
  /** Steps of the Newton-Schulz iteration. */
  readonly iterations?: number;
  /** How the rate goes by the size of a matrix: see `muon`. */
  readonly adjustment?: keyof typeof adjustments;
  /** The optimizer of all other weights: biases, scales, and the matrices that `except` names. */
  readonly others: Optimizer;
  /** Matrices that are left to `others`, by name or beginning, such as the readout. */
  readonly except?: readonly string[];
}

const optionKeys: OptionKeys<MuonOptions> = {
  rate: 'required',
  rates: 'optional',
  momentum: 'optional',
  nesterov: 'optional',
  decay: 'optional',
  iterations: 'optional',
  adjustment: 'optional',
  others: 'required',
  except: 'optional',
};

/** The factor of the rate, for a matrix from `inputs` to `outputs`. */
const adjustments = {
  original: (inputs: number, outputs: number): number => Math.sqrt(Math.max(1, outputs / inputs)),
  'match-rms-adamw': (inputs: number, outputs: number): number => 0.2 * Math.sqrt(Math.max(inputs, outputs)),
  'spectral-unclamped': (inputs: number, outputs: number): number => Math.sqrt(outputs / inputs),
} as const;

/**
 * Muon (Jordan et al. 2024), as torch.optim.Muon has it, for matrices: m ← μm + (1 − μ)g; u = g + μ(m − g) with Nesterov's momentum,
 * else m; w ← (1 − rate · decay) · w − rate · factor · O(u). O is u with singular values near 1, by Newton-Schulz iterations.
 *
 * The factor, of a matrix from i inputs to o outputs: 'original' √max(1, o/i) (Jordan); 'match-rms-adamw' 0.2 √max(i, o) (Moonshot),
 * which goes with rates and decays of AdamW; 'spectral-unclamped' √(o/i) (Bernstein).
 *
 * A convolution's kernel counts as the matrix [rows · columns · in, out], which PyTorch's Muon does not take. The iterations are in
 * float32, PyTorch's in bfloat16: results agree to about 1e-2. All other weights are moved by `others`.
 *
 * Five iterations multiply a singular value near 0 by 3.4445⁵ = 485, and with it the rounding of the gradient. A readout behind a softmax
 * always has one at 0, since its gradients sum to 0 over the classes. So sums in another order, as over several ranks, give weights that
 * agree to 1e-5 to 1e-4 of their way, where those of other optimizers agree to 1e-6.
 *
 * Memory: the 'momentum' m of every matrix, and that of `others`.
 *
 * @throws {WeirError} for settings out of range, for averages inside of `others`; at the first update, for a name of no trained weight
 * @example muon({ rate: 0.02, others: adamw({ rate: 1e-3 }), except: [model.readout.name] })
 */
export function muon(options: MuonOptions): Optimizer {
  const {
    rate,
    rates,
    momentum = 0.95,
    nesterov = true,
    decay = 0.1,
    iterations = 5,
    adjustment = 'original',
    others,
    except = [],
  } = checkOptions('muon', options, optionKeys);
  const where = "optimizer 'muon'";
  checkNumbers(where, { decay });
  checkNumbers(where, { momentum }, { below: 1 });
  checkNumbers(where, { iterations }, { least: 1, below: 100, whole: true });
  checkChoice(where, 'nesterov', nesterov, [true, false]);
  checkChoice(where, 'adjustment', adjustment, Object.keys(adjustments));
  checkListed(where, 'except', except);
  checkOptimizer('others of muon', others);
  const factor = adjustments[adjustment];
  if (others.averages !== undefined) {
    throw new WeirError("optimizer 'muon' was given averages of its other weights alone", 'put ema around muon');
  }
  const matrices = optimizer({
    name: 'muon',
    rate,
    ...(rates && { rates }),
    state: ['momentum'],
    step({ weight, gradient: g, state, rate }) {
      const outputs = weight.shape.at(-1)!;
      const inputs = weight.size / outputs;
      const m = tf.add(tf.mul(state.momentum, momentum), tf.mul(g, 1 - momentum));
      const u = nesterov ? tf.add(tf.mul(m, momentum), tf.mul(g, 1 - momentum)) : m;
      const flat = orthogonalized(tf.reshape(u, [inputs, outputs]), iterations);
      const away = tf.mul(tf.reshape(flat, weight.shape), rate * factor(inputs, outputs));
      return { weight: tf.sub(tf.mul(weight, 1 - rate * decay), away), momentum: m };
    },
  });

  return {
    name: 'muon',
    rate: matrices.rate,
    ownRates: (at) => [...(matrices.ownRates?.(at) ?? []), others.rate(at), ...(others.ownRates?.(at) ?? [])],
    move(weights, gradients, memory, at) {
      const trained = [...gradients.keys()];
      checkNames('muon', 'an exception', except, trained);
      const own = new Set(trained.filter((name) => weights.get(name)!.rank > 1 && !isAmong(except, name)));
      const ownMemory = new Set([...own].map((name) => `momentum/${name}`));
      const [a, b] = [true, false].map((mine) => {
        const part = <T extends Weights>(tensors: T, names: ReadonlySet<string>): Map<string, tf.Tensor> =>
          new Map([...tensors].filter(([name]) => names.has(name) === mine));
        const by = mine ? matrices : others;
        return by.move(part(weights, own), part(gradients, own), part(memory, ownMemory), at);
      });
      const moved = [...weights.keys()].map((name) => [name, (a!.weights.get(name) ?? b!.weights.get(name))!] as const);
      return { weights: new Map(moved), memory: new Map([...a!.memory, ...b!.memory]) };
    },
  };
}

/**
 * A matrix with the same singular vectors whose singular values are brought near 1, about 0.7 to 1.2, by the quintic iteration
 * X ← aX + (bXXᵀ + c(XXᵀ)²)X from X = u / ‖u‖, with the coefficients of Jordan et al.
 */
function orthogonalized(u: tf.Tensor2D, iterations: number): tf.Tensor2D {
  const [a, b, c] = [3.4445, -4.775, 2.0315] as const;
  const tall = u.shape[0] > u.shape[1];
  let x: tf.Tensor2D = tall ? tf.transpose(u) : u;
  x = tf.div(x, tf.maximum(length(x), 1e-7));
  for (let i = 0; i < iterations; i++) {
    const gram: tf.Tensor2D = tf.matMul(x, x, false, true);
    const polynomial: tf.Tensor2D = tf.add(tf.mul(gram, b), tf.mul(tf.matMul(gram, gram), c));
    x = tf.add(tf.mul(x, a), tf.matMul(polynomial, x));
  }
  return tall ? tf.transpose(x) : x;
}

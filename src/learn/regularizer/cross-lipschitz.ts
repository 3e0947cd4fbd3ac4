import { tf } from '../../tensorflow/tf.js';
import { type Linearization, type Model, weight } from '../model/model.js';
import {
  addGradient,
  addGradients,
  linearized,
  type Regularizer,
  type RegularizerInput,
  type Strength,
  since,
} from './regularizer.js';

const KIND = 'cross-lipschitz';

/**
 * Cross-Lipschitz regularization (Hein and Andriushchenko 2017, equation 6): γ · Ω with
 *
 *   Ω = 1/(nK²) · Σ_i Σ_{l,m} ‖∇F_l(x_i) − ∇F_m(x_i)‖₂² = 2/(nK) · Σ_i ‖∇Φ(x_i)ᵀ V‖_F²
 *
 * over the n samples of the batch and the K logits, where V, [width, K − 1], is the readout's kernel in an orthonormal basis of
 * the vectors whose entries sum to 0: only differences between logits count.
 *
 * Gradient: exact, in closed form. For each column v, with p_i = ∇Φ(x_i)ᵀv: that of ‖p_i‖² is twice that of vᵀ∇Φ(x_i)p_i with p_i
 * held constant, and 2∇Φ(x_i)p_i with respect to v.
 *
 * Differences from the authors' code: theirs leaves out the factor K before Σ‖∇F_l‖², takes probabilities for logits, and takes a
 * network with two logits to have one.
 *
 * @throws {WeirError} for models that do not linearize themselves by hand; MLPs do
 */
export function crossLipschitz(model: Model, strength: Strength): Regularizer {
  const active = since(KIND, strength);
  const linearize = linearized(KIND, model);
  const { kernel, factor = 1 } = model.readout;
  const basis = (): tf.Tensor2D => tf.mul(differences(model.classes), factor);
  const scaleOf = ({ x }: Pick<RegularizerInput, 'x'>): number => (2 * strength.gamma) / (x.shape[0]! * model.classes);

  /** Hands each column of V to `work`, once for every sample, with its image under ∇Φᵀ. */
  function columns<T>({ weights, x }: Sample, work: (q: tf.Tensor2D, p: tf.Tensor2D, at: Linearization) => T): T[] {
    const at = linearize(weights, x);
    const found = Array.from({ length: model.classes - 1 }, (_, r) => {
      const [q, p] = tf.tidy(() => {
        const v: tf.Tensor2D = tf.matMul(weight<tf.Tensor2D>(weights, kernel), tf.slice(basis(), [0, r], [-1, 1]));
        const q = tf.tile(tf.transpose(v), [x.shape[0]!, 1]) as tf.Tensor2D;
        return [q, at.backward(q)];
      }) as [tf.Tensor2D, tf.Tensor2D];
      const made = work(q, p, at);
      tf.dispose([q, p]);
      return made;
    });
    at.dispose();
    return found;
  }

  return {
    kind: KIND,
    active,
    addSampleGradients(input, gradients) {
      const dV = columns(input, (q, p, at) => {
        const scaled: tf.Tensor2D = tf.mul(p, 2 * scaleOf(input));
        addGradients(gradients, at.gradients(scaled, q));
        const dv = tf.tidy(() => tf.sum(at.forward(scaled), 0));
        scaled.dispose();
        return dv;
      });
      const ofKernel = tf.tidy(() => tf.matMul(tf.stack(dV, 1) as tf.Tensor2D, basis(), false, true));
      addGradient(gradients, kernel, ofKernel);
      tf.dispose(dV);
    },
    value: (input) => {
      const squares = columns(input, (_, p) => tf.tidy(() => tf.sum(tf.square(p)).dataSync()[0]!));
      return scaleOf(input) * squares.reduce((sum, square) => sum + square, 0);
    },
  };
}

type Sample = Pick<RegularizerInput, 'weights' | 'x'>;

/** Orthonormal columns that span the vectors of K entries with sum 0, [K, K − 1] (Helmert). */
function differences(classes: number): tf.Tensor2D {
  const values = new Float32Array(classes * (classes - 1));
  for (let r = 0; r < classes - 1; r++) {
    const length = Math.sqrt((r + 1) * (r + 2));
    for (let k = 0; k <= r; k++) values[k * (classes - 1) + r] = 1 / length;
    values[(r + 1) * (classes - 1) + r] = -(r + 1) / length;
  }
  return tf.tensor2d(values, [classes, classes - 1]);
}

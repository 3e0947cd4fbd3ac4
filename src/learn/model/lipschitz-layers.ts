import { tf } from '../../tensorflow/tf.js';
import type { LayerRun, ModelLayer } from './layer.js';
import type { BoundedPart } from './model.js';

/** Added to the sums, so that a kernel of zeros has a scale. It makes the norm smaller. */
const LEAST = 1e-12;

/**
 * The kernel of a 1-Lipschitz layer (Prach and Lampert 2022, theorem 1): for every matrix P, ‖PD‖₂ ≤ 1 with D = diag(Σ_i |PᵀP|_ij)^(−1/2).
 *
 * P is the transposed map, so that D scales outputs: one number for each unit, or for each filter of a convolution, whose PᵀP holds the
 * products of two filters shifted against each other. The paper's D scales inputs. Shifts are multiples of `step`.
 *
 * @param kernel [rows, columns, in, out]
 */
export function contracted(kernel: tf.Tensor4D, step: number): tf.Tensor4D {
  const [rows, columns, inputs, outputs] = kernel.shape;
  return tf.tidy(() => {
    const sums: tf.Tensor[] = [];
    const size = (x: tf.Tensor): tf.Tensor => tf.mul(x, tf.sign(x)); // |x| with the gradient 0 at 0
    const part = (down: number, over: number): tf.Tensor2D =>
      tf.reshape(
        tf.slice(
          kernel,
          [Math.max(down, 0), Math.max(over, 0), 0, 0],
          [rows - Math.abs(down), columns - Math.abs(over), inputs, outputs],
        ),
        [-1, outputs],
      );
    for (let down = -largest(rows, step); down < rows; down += step) {
      for (let over = -largest(columns, step); over < columns; over += step) {
        sums.push(tf.sum(size(tf.matMul(part(down, over), part(-down, -over), true)), 1));
      }
    }
    return tf.mul(kernel, tf.rsqrt(tf.add(tf.addN(sums), LEAST))) as tf.Tensor4D;
  });
}

/** The largest shift that is a multiple of `step` and leaves an overlap. */
const largest = (extent: number, step: number): number => step * Math.floor((extent - 1) / step);

/** A linear map of norm 1 in ℓ2; ‖x‖₂ ≤ ‖x‖₁ ≤ √n ‖x‖₂ and the like give its other norms. */
const contraction = (name: string, inputs: number, outputs: number): BoundedPart => ({
  kind: 'bounded',
  name,
  lipschitz: { l1: Math.sqrt(outputs), l2: 1, linf: Math.sqrt(inputs) },
});

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** The linear layer with its kernel made 1-Lipschitz, and the bound of that in the place of a σ. */
export function constrained(layer: ModelLayer, kind: string, stepOf: (shape: readonly number[]) => number): ModelLayer {
  return {
    kind,
    description: `1-Lipschitz ${layer.description}`,
    plan(inputShape, name) {
      const { outputShape, weights, apply } = layer.plan(inputShape, name);
      const step = stepOf(inputShape);
      return {
        outputShape,
        ...(weights && { weights }),
        apply(x, run) {
          const weight = <T extends tf.Tensor>(part: string): T => {
            const given = run.weight<T>(part);
            if (part !== 'kernel') return given;
            const whole: tf.Tensor4D = tf.reshape(given, [
              ...(given.rank === 2 ? [1, 1] : []),
              ...given.shape,
            ] as never);
            return tf.reshape(contracted(whole, step), given.shape) as T;
          };
          return apply(x, { ...run, weight } as LayerRun);
        },
        parts: [contraction(name, sizeOf(inputShape), sizeOf(outputShape))],
      };
    },
  };
}

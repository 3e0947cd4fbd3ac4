import { tf } from '../../tensorflow/device-tf.js';
import type { Products } from './products.js';

/** The metric g = ∇Φᵀ∇Φ (paper, remark 1) on a plane at n points: its values on two directions a and b. */
export interface PlaneMetric {
  /** ‖∇Φ a‖² */
  readonly aa: Float64Array;
  /** ∇Φ a · ∇Φ b */
  readonly ab: Float64Array;
  /** ‖∇Φ b‖² */
  readonly bb: Float64Array;
}

/** g on the plane of a and b at the n points of `products`, by two products with ∇Φ. @param a, b of length `inputs` */
export function planeMetric(products: Products, n: number, a: Float32Array, b: Float32Array): PlaneMetric {
  const images = [a, b].map((direction) => {
    const image = tf.tidy(() => products.forward(tf.tile(tf.tensor2d(direction, [1, direction.length]), [n, 1])));
    const values = image.dataSync<'float32'>();
    image.dispose();
    return values;
  }) as [Float32Array, Float32Array];
  const width = images[0].length / n;
  const product = (y: Float32Array, z: Float32Array): Float64Array =>
    Float64Array.from({ length: n }, (_, row) => {
      let sum = 0;
      for (let i = row * width; i < (row + 1) * width; i++) sum += y[i]! * z[i]!;
      return sum;
    });
  return { aa: product(images[0], images[0]), ab: product(images[0], images[1]), bb: product(images[1], images[1]) };
}

/** Part of aa·bb below which the determinant is nothing but the rounding of float32 products. */
const ROUNDING = 1e-12;

/** ½ log det g at one point: the logarithm of the volume element √det g. NaN where g has rank below two. */
export function logVolume({ aa, ab, bb }: PlaneMetric, at: number): number {
  const determinant = aa[at]! * bb[at]! - ab[at]! ** 2;
  return determinant > ROUNDING * aa[at]! * bb[at]! ? Math.log(determinant) / 2 : Number.NaN;
}

/** The larger eigenvalue of g at one point, for a and b of length 1 at a right angle. */
export function topEigenvalue({ aa, ab, bb }: PlaneMetric, at: number): number {
  return (aa[at]! + bb[at]!) / 2 + Math.hypot((aa[at]! - bb[at]!) / 2, ab[at]!);
}

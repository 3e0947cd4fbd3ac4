import { type Normalizations, numbersOf } from './batch-norm-batch-norm.js';
import { attribute } from './device-eager.js';
import type { Precision } from './native-precision.js';
import { constant, type Raw, run } from './raw.js';

/**
 * Batch normalization by TensorFlow's own `FusedBatchNormV3` and its gradient: on a GPU, or where the binding has no other.
 *
 * TensorFlow gives the variance with Bessel's correction; here it is taken back, so that both ways say the same.
 */
export function composedNormalizations(precision: Precision, epsilon: number): Normalizations {
  const T = attribute.type('T', precision);
  const attributes = [
    T,
    attribute.type('U', 'float32'),
    attribute.float('epsilon', epsilon),
    attribute.string('data_format', 'NHWC'),
    attribute.bool('is_training', true),
  ];
  const normalize = (x: Raw, scale: Raw, offset: Raw): Raw[] => {
    const none = constant('float32', []);
    const all = [...attributes, attribute.float('exponential_avg_factor', 1)];
    return [...run('FusedBatchNormV3', all, [x, scale, offset, none, none], 6)];
  };

  return {
    forward(x, { scale, offset }, { residual, rectify }) {
      const [normalized, mean, corrected, ...reserved] = normalize(x, scale, offset) as [Raw, Raw, Raw, ...Raw[]];
      const count = numbersOf(x);
      const float = attribute.type('T', 'float32');
      const [variance] = run('Mul', [float], [corrected, constant('float32', [(count - 1) / count])]);
      for (const raw of [corrected, ...reserved]) raw.dispose();
      let y = normalized;
      if (residual) [y] = taking(y, run('AddV2', [T], [y, residual]));
      if (rectify) [y] = taking(y, run('Relu', [T], [y]));
      return { y, mean, variance, count };
    },

    back(dy, other, x, { y }, { scale, offset }, { residual, rectify }) {
      let g = run('Identity', [T], [dy])[0];
      if (other) [g] = taking(g, run('AddV2', [T], [g, other]));
      if (rectify) [g] = taking(g, run('ReluGrad', [T], [g, y]));
      const [unused, mean, variance, ...reserved] = normalize(x, scale, offset) as [Raw, Raw, Raw, ...Raw[]];
      const [dx, dscale, doffset, ...rest] = run('FusedBatchNormGradV3', attributes, [g, x, scale, ...reserved], 5) as [
        Raw,
        Raw,
        Raw,
        ...Raw[],
      ];
      for (const raw of [unused, mean, variance, ...reserved, ...rest]) raw.dispose();
      if (!residual) g.dispose();
      return { x: dx, residual: residual ? g : undefined, scale: dscale, offset: doffset };
    },
  };
}

/** What an operation made of x, which is disposed of. */
function taking<R extends readonly Raw[]>(x: Raw, made: R): R {
  x.dispose();
  return made;
}

import { type Normalizations, numbersOf } from './batch-norm-batch-norm.js';
import { nothing, type Precision } from './native-precision.js';
import { constant, type Raw, run } from './raw.js';

/** By the operations of setup/kernels/normalization.cc. Only where `hasFused()`. */
export function fusedNormalizations(precision: Precision, epsilon: number): Normalizations {
  const suffix = precision === 'bfloat16' ? '16' : '';
  return {
    forward(x, { scale, offset }, { residual, rectify }) {
      const [mean, variance] = run(`WeirMoments${suffix}`, [], [x], 2) as [Raw, Raw];
      const settings = constant('float32', [epsilon, Number(rectify)]);
      const inputs = [x, mean, variance, scale, offset, residual ?? nothing(precision), settings];
      return { y: run(`WeirNormalize${suffix}`, [], inputs)[0], mean, variance, count: numbersOf(x) };
    },
    back(dy, other, x, { y, mean, variance }, { scale, offset }, { residual, rectify }) {
      const joined = residual !== undefined; // then only y knows where the rectifier was open
      const images = [dy, other ?? nothing(precision), x, joined ? y : nothing(precision)];
      const inputs = [...images, mean, variance, scale, offset, constant('float32', [epsilon, Number(rectify)])];
      const [dx, g, dscale, doffset] = run(`WeirNormalizeBack${suffix}`, [], inputs, 4) as [Raw, Raw, Raw, Raw];
      if (!joined) g.dispose();
      return { x: dx, residual: joined ? g : undefined, scale: dscale, offset: doffset };
    },
  };
}

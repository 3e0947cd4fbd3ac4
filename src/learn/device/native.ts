/**
 * What TensorFlow has and TensorFlow.js lacks: each operation by a typed name, with a portable fallback where there is one.
 *
 * Batch normalization (`FusedBatchNormV3` and its gradient) belongs here too, as `native/batchnorm.ts`.
 */
export { type Attribute, attribute, execute, executeAll, hasNative, nativeBackend, types } from './eager.js';
export { Bfloat16, matMulBfloat16, supportsBfloat16, toBfloat16 } from './native/bfloat16.js';
export { erf, normalCdf, normalPdf } from './native/erf.js';
export {
  addFloat64,
  Float64,
  float64,
  inverseFloat64,
  matMulFloat64,
  mulFloat64,
  rowsFloat64,
  toFloat64,
} from './native/float64.js';
export { clampedRows } from './native/fused.js';
export { batchMatMul, einsum, fft2d, ifft2d } from './native/linear.js';
export { fusedMatMul } from './native/matmul.js';
export { statelessNormal, statelessUniform } from './native/random.js';
export { relu, reluGrad } from './native/relu.js';
export { type Svd, singularValues, svd } from './native/svd.js';

import type { Check } from './check.js';
import { tf } from './device-tf.js';
import { matMulBfloat16, supportsBfloat16 } from './ops/bfloat16.js';
import { hasNative } from './ops/device-eager.js';
import { erf } from './ops/erf.js';
import { fusedMatMul } from './ops/matmul.js';
import { batchMatMul, einsum, fft2d } from './ops/native-linear.js';
import { svd } from './ops/native-svd.js';
import { statelessNormal } from './ops/random.js';
import { relu, reluGrad } from './ops/relu.js';

/** Each operation that TensorFlow.js lacks, on a tiny input with a known answer. */
const operations: Readonly<Record<string, () => { found: tf.Tensor; wanted: readonly number[] }>> = {
  Relu: () => ({ found: relu(tf.tensor1d([-1, 2])), wanted: [0, 2] }),
  ReluGrad: () => ({ found: reluGrad(tf.tensor1d([3, 3]), tf.tensor1d([-1, 2])), wanted: [0, 3] }),
  Erf: () => ({ found: erf(tf.tensor1d([0, 1])), wanted: [0, 0.8427008] }),
  _FusedMatMul: () => ({
    found: fusedMatMul(tf.tensor2d([[1, -2]]), tf.tensor2d([[1], [3]]), tf.tensor1d([1]), 'relu'),
    wanted: [0],
  }),
  Einsum: () => ({ found: einsum('i,i->', tf.tensor1d([1, 2]), tf.tensor1d([3, 4])), wanted: [11] }),
  Svd: () => ({ found: svd(tf.tensor2d([[0, 3], [2, 0]])).s, wanted: [3, 2] }), // biome-ignore format: a matrix
  FFT2D: () => ({ found: tf.real(fft2d(tf.complex(tf.ones([2, 2]), tf.zeros([2, 2])))), wanted: [4, 0, 0, 0] }),
  BatchMatMulV2: () => {
    const i = tf.complex(tf.zeros([1, 1]), tf.ones([1, 1]));
    return { found: tf.real(batchMatMul(i, i)), wanted: [-1] };
  },
  StatelessRandomNormal: () => {
    const noise = () => statelessNormal([4], [1, 2]);
    return { found: tf.sub(noise(), noise()), wanted: [0, 0, 0, 0] };
  },
};

/** Runs every operation of `native.ts` and compares what it gives; where one fails, says what does without it. */
export function checkOperations(): Check[] {
  const checks = Object.entries(operations).map(([name, run]): Check => {
    try {
      let wanted: readonly number[] = [];
      const found = read(() => {
        const result = run();
        wanted = result.wanted;
        return result.found;
      });
      const ok = found.length === wanted.length && found.every((x, i) => Math.abs(x - wanted[i]!) < 1e-5);
      if (!ok)
        return { name, ok, found: `gave ${found}, expected ${wanted}`, remedy: 'report this, with the processor' };
      return { name, ok, found: hasNative() ? 'native' : 'portable fallback' };
    } catch (error) {
      const remedy = 'what needs it stops with a message; the native runtime has it';
      return { name, ok: false, found: (error as Error).message.split('\n')[0]!, remedy };
    }
  });
  return [...checks, bfloat16()];
}

function bfloat16(): Check {
  if (!hasNative()) return { name: 'bfloat16', ok: true, found: 'no: WebAssembly' };
  if (!supportsBfloat16())
    return { name: 'bfloat16', ok: true, found: 'no: this processor has no instructions for it' };
  const [value] = read(() => matMulBfloat16(tf.tensor2d([[2]]), tf.tensor2d([[3]])));
  if (value !== 6) return { name: 'bfloat16', ok: false, found: `2 · 3 gave ${value}`, remedy: 'leave bfloat16 off' };
  return { name: 'bfloat16', ok: true, found: 'native' };
}

function read(run: () => tf.Tensor): number[] {
  const result = tf.tidy(run);
  const values = Array.from(result.dataSync());
  result.dispose();
  return values;
}

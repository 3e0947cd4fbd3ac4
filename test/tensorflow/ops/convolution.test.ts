import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { sizeOf } from '../../../src/flow/data.js';
import { keyed } from '../../../src/flow/random.js';
import {
  composedNormalizations,
  fusedNormalizations,
  type NormalizationEpilogue,
  type Normalizations,
} from '../../../src/tensorflow/ops/batch-norm.js';
import {
  type ConvolutionGeometry,
  composedConvolutions,
  fusedConvolutions,
} from '../../../src/tensorflow/ops/convolution.js';
import { cast, constant, lent, type Precision, type Raw } from '../../../src/tensorflow/ops/eager.js';
import { hasFused } from '../../../src/tensorflow/ops/fused.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

const SKIPPED = 'needs the native runtime on a CPU';
let fused = false;
beforeAll(async () => {
  await loadTensorFlow();
  fused = hasFused();
});

let drawn = 0;
const normal = (...shape: number[]): tf.Tensor => {
  const random = keyed(drawn++, 'test');
  const size = sizeOf(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
};

/** Largest difference over the largest number. */
function apart(a: Raw, b: Raw, precision: Precision): number {
  const [x, y] = [a, b].map((raw) => cast(raw, precision, 'float32').toTensor().dataSync()) as [
    Float32Array,
    Float32Array,
  ];
  expect(a.shape).toEqual(b.shape);
  let most = 0;
  let off = 0;
  for (let i = 0; i < y.length; i++) {
    most = Math.max(most, Math.abs(y[i]!));
    off = Number.isNaN(x[i]!) ? Number.POSITIVE_INFINITY : Math.max(off, Math.abs(x[i]! - y[i]!));
  }
  return off / most;
}

const geometries: readonly [what: string, Omit<ConvolutionGeometry, 'padding'>][] = [
  ['Winograd, whole tiles', { height: 8, width: 4, in: 16, out: 48, size: 3, stride: 1 }],
  ['Winograd, cut tiles', { height: 5, width: 7, in: 32, out: 16, size: 3, stride: 1 }],
  ['Winograd, several slabs and parts', { height: 18, width: 31, in: 64, out: 64, size: 3, stride: 1 }],
  ['Winograd, a large kernel', { height: 6, width: 9, in: 256, out: 144, size: 3, stride: 1 }],
  ['any number of channels', { height: 9, width: 8, in: 3, out: 20, size: 3, stride: 1 }],
  ['stride 2', { height: 9, width: 8, in: 24, out: 32, size: 3, stride: 2 }],
  ['1 × 1, stride 2', { height: 7, width: 6, in: 16, out: 40, size: 1, stride: 2 }],
  ['1 × 1, few tiles in several parts', { height: 20, width: 31, in: 24, out: 33, size: 1, stride: 1 }],
  ['1 × 1, several tiles, groups and stretches', { height: 12, width: 11, in: 520, out: 544, size: 1, stride: 1 }],
  ['stride 2, places that share a tile', { height: 13, width: 12, in: 72, out: 64, size: 3, stride: 2 }],
  ['channels that fill no strip', { height: 16, width: 17, in: 20, out: 32, size: 3, stride: 2 }],
  ['few channels, several bands', { height: 70, width: 66, in: 3, out: 32, size: 5, stride: 1 }],
  ['an image smaller than its padding', { height: 2, width: 3, in: 3, out: 16, size: 7, stride: 2 }],
  ['7 × 7, stride 2', { height: 15, width: 22, in: 3, out: 16, size: 7, stride: 2 }],
  ['an image of two rows', { height: 2, width: 2, in: 16, out: 16, size: 3, stride: 1 }],
];

test.for(geometries)('%s: our convolution and its gradients are TensorFlow’s', ([, geometry], { skip }) => {
  if (!fused) skip(SKIPPED);
  const g0 = { ...geometry, padding: 'circular' } as const;
  for (const [g, precision, tolerance] of [
    [g0, 'float32', 3e-5],
    [{ ...geometry, padding: 'zero' }, 'float32', 3e-5],
    [g0, 'bfloat16', 2e-2],
  ] as const) {
    const [ours, theirs] = [fusedConvolutions(precision), composedConvolutions(precision)];
    const [down, across] = [Math.ceil(g.height / g.stride), Math.ceil(g.width / g.stride)];
    const images = (x: tf.Tensor) => cast(lent(x), 'float32', precision);
    const x = images(normal(5, g.height, g.width, g.in));
    const dy = images(normal(5, down, across, g.out));
    const residual = images(normal(5, down, across, g.out));
    const kernel = lent(normal(g.size, g.size, g.in, g.out));
    const bias = lent(normal(g.out));
    const behind = { bias, residual, rectify: true };
    expect(
      apart(ours.convolve(x, ours.packed(kernel, g), g), theirs.convolve(x, theirs.packed(kernel, g), g), precision),
    ).toBeLessThan(tolerance);
    expect(
      apart(
        ours.convolve(x, ours.packed(kernel, g), g, behind),
        theirs.convolve(x, theirs.packed(kernel, g), g, behind),
        precision,
      ),
    ).toBeLessThan(tolerance);
    // Gradients are held against float32 of the same values: TensorFlow rounds parts of its sums to bfloat16 on processors without such products
    const exact = composedConvolutions('float32');
    const whole = (values: Raw) => cast(values, precision, 'float32');
    const back = cast(exact.back(whole(dy), kernel, g), 'float32', precision);
    const filter = exact.filter(whole(x), whole(dy), g);
    expect(apart(ours.back(dy, kernel, g), back, precision)).toBeLessThan(tolerance);
    expect(apart(ours.filter(x, dy, g), filter, 'float32')).toBeLessThan(tolerance);
  }
});

// in bfloat16 the rectifier is open everywhere: rounding in another order would close it in other places
test.for([
  ['a rectifier', false, 48, 'float32', 0, 2e-5],
  ['a residual', true, 20, 'float32', 0, 2e-5],
  ['a residual, in bfloat16', true, 32, 'bfloat16', 20, 3e-2],
] as const)(
  'batch normalization and %s: ours is TensorFlow’s',
  ([, joined, channels, precision, offset, tolerance], { skip }) => {
    if (!fused) skip(SKIPPED);
    const images = () => cast(lent(tf.add(normal(7, 9, 10, channels), 3)), 'float32', precision);
    const [x, dy, other, residual] = [images(), images(), images(), images()];
    const affine = { scale: lent(normal(channels)), offset: lent(tf.add(normal(channels), offset)) };
    const after: NormalizationEpilogue = joined ? { rectify: true, residual } : { rectify: true };
    const through = (engine: Normalizations) => {
      const forward = engine.forward(x, affine, after);
      const { x: dx, residual: through, scale, offset } = engine.back(dy, other, x, forward, affine, after);
      return {
        images: [forward.y, dx, ...(through ? [through] : [])],
        vectors: [forward.mean, forward.variance, scale, offset],
      };
    };
    const ours = through(fusedNormalizations(precision, 1e-5));
    const theirs = through(composedNormalizations(precision, 1e-5));
    expect(ours.images.length).toBe(joined ? 3 : 2);
    for (const [i, raw] of ours.images.entries()) {
      expect(apart(raw, theirs.images[i]!, precision), `image ${i}`).toBeLessThan(tolerance);
    }
    for (const [i, raw] of ours.vectors.entries()) {
      expect(apart(raw, theirs.vectors[i]!, 'float32'), `vector ${i}`).toBeLessThan(tolerance);
    }
  },
);

test('any number of threads gives the same bits', async ({ skip }) => {
  if (!fused) skip(SKIPPED);
  const script = fileURLToPath(new URL('../fixture/convolve.ts', import.meta.url));
  const hashed = async (threads: string) => {
    const env = { ...process.env, WEIR_THREADS: threads };
    return (await promisify(execFile)(process.execPath, ['--import', 'tsx', script], { env })).stdout;
  };
  const one = await hashed('1');
  expect(one).toHaveLength(64);
  expect(await hashed('2')).toBe(one);
  expect(await hashed('5')).toBe(one);
});

test('a kernel laid out for few images gives the same but for rounding', ({ skip }) => {
  if (!fused) skip(SKIPPED);
  const g: ConvolutionGeometry = { height: 7, width: 7, in: 32, out: 48, size: 3, stride: 1, padding: 'zero' };
  const engine = fusedConvolutions('float32');
  const [x, dy] = [lent(normal(2, 7, 7, 32)), lent(normal(2, 7, 7, 48))];
  const kernel = lent(normal(3, 3, 32, 48));
  const [many, few] = [engine.packed(kernel, g), engine.packed(kernel, g, 2)];
  expect(few.shape).not.toEqual(many.shape);
  expect(apart(engine.convolve(x, few, g), engine.convolve(x, many, g), 'float32')).toBeLessThan(3e-5);
  expect(apart(engine.back(dy, kernel, g, 2), engine.back(dy, kernel, g), 'float32')).toBeLessThan(3e-5);
});

test('a tensor that does not fit is refused', ({ skip }) => {
  if (!fused) skip(SKIPPED);
  const g: ConvolutionGeometry = { height: 4, width: 4, in: 16, out: 16, size: 3, stride: 1, padding: 'zero' };
  const engine = fusedConvolutions('float32');
  const packed = engine.packed(lent(normal(3, 3, 16, 16)), g);
  expect(() => engine.convolve(lent(normal(1, 4, 5, 16)), packed, g)).toThrow('images do not fit the geometry');
  expect(() => engine.convolve(lent(normal(1, 4, 4, 16)), constant('float32', [1]), g)).toThrow('kernel does not fit');
});

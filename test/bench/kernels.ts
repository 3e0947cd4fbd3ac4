import { sizeOf } from '../../src/flow/data.js';
import { keyed } from '../../src/flow/random.js';
import { ensemble } from '../../src/learn/ensemble/ensemble.js';
import { ensembleStage } from '../../src/learn/ensemble/train.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { affine, gelu } from '../../src/learn/model/activation.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { maxPool } from '../../src/learn/model/resnet/plan.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { decomposedSigma } from '../../src/learn/spectral/exact.js';
import { composedKrylov } from '../../src/learn/spectral/krylov.js';
import { trainStage } from '../../src/learn/train.js';
import {
  composedNormalizations,
  fusedNormalizations,
  type Normalizations,
} from '../../src/tensorflow/ops/batch-norm.js';
import {
  type ConvolutionGeometry,
  type Convolutions,
  composedConvolutions,
  fusedConvolutions,
} from '../../src/tensorflow/ops/convolution.js';
import { attribute, lent, type Raw, run } from '../../src/tensorflow/ops/eager.js';
import {
  addOuter,
  clampedRows,
  fusedGelu,
  fusedGeluProduct,
  fusedGeluSlope,
  hasFused,
  pullBack,
  sgdStep,
} from '../../src/tensorflow/ops/fused.js';
import {
  addStretchGradient,
  krylovAtFrequencies,
  provenSigma,
  thinProduct,
} from '../../src/tensorflow/ops/spectral.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { machine, median, spread } from './compare.js';

/** An operation of src/tensorflow/kernels and TensorFlow's own operations that it replaces, on the same tensors. */
interface Pair {
  readonly name: string;
  readonly ours: () => void;
  readonly theirs: () => void;
}

const rounds = 15;
/** The least that a round takes, in milliseconds: short calls are repeated. */
const least = 20;

/**
 * Every kernel of Weir's own against the operations of TensorFlow that take its place without it, in turns, each at a size of the
 * experiments: an MLP of MNIST (batch 1024, 2000 hidden units), a ResNet-18 of CIFAR-10 (batch 64). The ratio is that of medians,
 * TensorFlow's time over ours.
 */
export async function bench(): Promise<boolean> {
  process.env.WEIR_THREADS ??= '2';
  const runtime = await loadTensorFlow();
  console.log(`${machine()}, TensorFlow ${runtime.version}, ${runtime.threads} threads, ${rounds} rounds in turns`);
  if (!hasFused()) {
    console.log('the kernels are for the native runtime on a CPU');
    return false;
  }
  let slowest = Number.POSITIVE_INFINITY;
  for (const { name, ours, theirs } of [...dense(), ...residual(), ...spectral(), small()]) {
    const ratio = compared(name, ours, theirs);
    slowest = Math.min(slowest, ratio);
  }
  console.log(`kernels ratio ${slowest.toFixed(2)} (reach 1.00)`);
  return slowest >= 1;
}

/** Prints the times of both, and gives the ratio of their medians. */
function compared(name: string, ours: () => void, theirs: () => void): number {
  const repeats = [ours, theirs].map((work) => {
    work();
    return Math.max(1, Math.ceil(least / milliseconds(work, 1)));
  });
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      times[side].push(milliseconds([ours, theirs][side]!, repeats[side]!));
    }
  }
  const ratio = median(times[1]) / median(times[0]);
  const ratios = times[1].map((time, i) => time / times[0][i]!);
  console.log(
    `${name}: ${times.map((one) => `${median(one).toPrecision(3)} ms`).join(' against ')}, ratio ${ratio.toFixed(2)}, by round ${spread(ratios, (x) => x.toFixed(2))}`,
  );
  return ratio;
}

function milliseconds(work: () => void, times: number): number {
  const begun = performance.now();
  for (let i = 0; i < times; i++) work();
  return (performance.now() - begun) / times;
}

const random = keyed(0, 'bench');
const normal = (...shape: number[]): tf.Tensor => {
  const size = sizeOf(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
};

/** Runs and gives the results back. */
const discarded = (work: () => tf.Tensor | tf.Tensor[]) => () => {
  tf.dispose(tf.tidy(work));
};

/** Operations of a dense layer, an attack and an update. */
function dense(): Pair[] {
  const [n, width, classes, inputs] = [1024, 2000, 10, 784];
  const [z, y, slope] = [normal(n, width), normal(n, width), normal(n, width)] as tf.Tensor2D[];
  const bias = normal(width) as tf.Tensor1D;
  const kernel = normal(width, classes) as tf.Tensor2D;
  const d = normal(n, classes) as tf.Tensor2D;
  const [w, g, velocity] = [normal(inputs, width), normal(inputs, width), normal(inputs, width)] as tf.Tensor2D[];
  const [v, t] = [normal(inputs), normal(width)] as tf.Tensor1D[];
  const settings = { rate: 0.1, momentum: 0.9, decay: 1e-4 };
  const rows = tf.range(0, inputs, 2, 'int32');
  const [low, high] = [tf.fill([rows.size], -0.5), tf.fill([rows.size], 0.5)] as tf.Tensor1D[];
  const pair = (
    name: string,
    ours: Parameters<typeof discarded>[0],
    theirs: Parameters<typeof discarded>[0],
  ): Pair => ({ name, ours: discarded(ours), theirs: discarded(theirs) });
  const sum = () => affine(z!, bias, 0.5);
  return [
    pair(
      'WeirGelu',
      () => fusedGelu(z!, bias, 0.5),
      () => gelu.value(sum()),
    ),
    pair(
      'WeirGeluSlope',
      () => fusedGeluSlope(z!, bias, 0.5),
      () => {
        const at = sum();
        return [gelu.value(at), tf.mul(gelu.derivative(at), 0.5)];
      },
    ),
    pair(
      'WeirGeluProduct',
      () => fusedGeluProduct([z!, y!], bias, 0.5, kernel),
      () => tf.matMul(gelu.value(affine(tf.add(z!, y!), bias, 0.5)), kernel),
    ),
    pair(
      'WeirClampedRows',
      () => clampedRows(w!, rows, low!, high!),
      () => {
        const taken = tf.gather(w!, rows);
        return tf.sub(tf.minimum(tf.maximum(taken, low!.expandDims(1)), high!.expandDims(1)), taken);
      },
    ),
    pair(
      'WeirPull',
      () => pullBack(d, kernel, slope!),
      () => {
        const dz = tf.mul(tf.matMul(d, kernel, false, true), slope!);
        return [dz, tf.sum(dz, 0)];
      },
    ),
    pair(
      'WeirAddOuter',
      () => addOuter(g!, v!, t!),
      () => tf.add(g!, tf.matMul(v!.reshape([-1, 1]), t!.reshape([1, -1]))),
    ),
    pair(
      'WeirSgd',
      () => sgdStep(w!, g!, velocity!, settings),
      () => {
        const next = tf.add(tf.mul(velocity!, 0.9), tf.add(g!, tf.mul(w!, 1e-4)));
        return [tf.sub(w!, tf.mul(next, 0.1)), next];
      },
    ),
  ];
}

/** Operations of a residual network. */
function residual(): Pair[] {
  const geometries: readonly [what: string, ConvolutionGeometry][] = [
    ['3 × 3', { height: 16, width: 16, in: 128, out: 128, size: 3, stride: 1, padding: 'circular' }],
    ['3 × 3, stride 2', { height: 32, width: 32, in: 64, out: 128, size: 3, stride: 2, padding: 'circular' }],
    ['stem', { height: 32, width: 32, in: 3, out: 64, size: 3, stride: 1, padding: 'circular' }],
  ];
  const convolutions = geometries.flatMap(([what, g]): Pair[] => {
    const [down, across] = [g.height / g.stride, g.width / g.stride];
    const x = lent(normal(64, g.height, g.width, g.in));
    const dy = lent(normal(64, down, across, g.out));
    const kernel = lent(normal(g.size, g.size, g.in, g.out));
    const behind = { bias: lent(normal(g.out)), residual: dy, rectify: true };
    const pair = (name: string, work: (engine: Convolutions) => readonly Raw[]): Pair => {
      const of = (engine: Convolutions) => () => {
        for (const raw of work(engine)) raw.dispose();
      };
      return {
        name: `${name}, ${what}`,
        ours: of(fusedConvolutions('float32')),
        theirs: of(composedConvolutions('float32')),
      };
    };
    return [
      pair('WeirKernel and WeirConvolve', (engine) => {
        const packed = engine.packed(kernel, g);
        return [packed, engine.convolve(x, packed, g, behind)];
      }),
      pair('WeirConvolveBack', (engine) => [engine.back(dy, kernel, g)]),
      pair('WeirConvolveFilter', (engine) => [engine.filter(x, dy, g)]),
    ];
  });

  const [x, dy, skip] = [normal(64, 32, 32, 64), normal(64, 32, 32, 64), normal(64, 32, 32, 64)].map(lent) as Raw[];
  const weights = { scale: lent(normal(64)), offset: lent(normal(64)) };
  const after = { rectify: true, residual: skip! } as const;
  const forward = (engine: Normalizations) => () => {
    const { y, mean, variance } = engine.forward(x!, weights, after);
    for (const raw of [y, mean, variance]) raw.dispose();
  };
  const back = (engine: Normalizations) => {
    const normalized = engine.forward(x!, weights, after);
    return () => {
      const found = engine.back(dy!, undefined, x!, normalized, weights, after);
      for (const raw of [found.x, found.residual, found.scale, found.offset]) raw?.dispose();
    };
  };
  const [ours, theirs] = [fusedNormalizations('float32', 1e-5), composedNormalizations('float32', 1e-5)];

  const pool = maxPool('float32');
  const [y, padded] = pool.forward(lent(tf.relu(normal(8, 112, 112, 64))));
  const window = [
    attribute.type('T', 'float32'),
    attribute.int('ksize', [1, 3, 3, 1]),
    attribute.int('strides', [1, 2, 2, 1]),
    attribute.string('padding', 'VALID'),
    attribute.string('data_format', 'NHWC'),
    attribute.int('explicit_paddings', []),
  ];
  return [
    ...convolutions,
    { name: 'WeirMoments and WeirNormalize', ours: forward(ours), theirs: forward(theirs) },
    { name: 'WeirNormalizeBack', ours: back(ours), theirs: back(theirs) },
    {
      name: 'WeirMaxPoolBack',
      ours: () => pool.back(padded, y, y).dispose(),
      theirs: () => run('MaxPoolGrad', window, [padded, y, y])[0].dispose(),
    },
  ];
}

/** Operations of the spectral regularizers. */
function spectral(): Pair[] {
  const kernel = normal(3, 3, 64, 64) as tf.Tensor4D;
  const grid = { height: 32, width: 32, stride: 1 };
  const space = { steps: 3, vectors: 2 };
  const frequencies = 32 * 16 + 2; // of 32 × 32, without their opposites
  const state = Float32Array.from({ length: 64 * 2 * frequencies * space.vectors }, () => random.normal());
  const wide = normal(3, 3, 512, 512);
  const v = normal(2, 9 * 512) as tf.Tensor2D;
  const gradient = normal(3, 3, 512, 512);
  const strength = tf.scalar(0.01);
  const product = () => tf.matMul(v, tf.reshape(wide, [9 * 512, -1]));
  return [
    {
      name: 'WeirConvolutionSigma',
      ours: () => provenSigma(kernel, grid, { tolerance: 1e-6, from: 0 }),
      theirs: () => decomposedSigma(kernel, grid),
    },
    {
      name: 'WeirFrequencyKrylov',
      ours: () => krylovAtFrequencies(kernel, grid, state, space),
      theirs: () => composedKrylov(kernel, grid, state, space),
    },
    { name: 'WeirThinProduct', ours: discarded(() => thinProduct(v, wide)), theirs: discarded(product) },
    {
      name: 'WeirAddStretchGradient',
      ours: discarded(() => addStretchGradient(gradient, v, wide, strength)),
      theirs: discarded(() =>
        tf.add(gradient, tf.reshape(tf.matMul(v, tf.mul(product(), strength), true), wide.shape)),
      ),
    },
  ];
}

/** An update of thirty networks of XOR at once, against the same networks trained one by one. */
function small(): Pair {
  const [sizes, members, samples] = [[2, 8, 2], 30, 16];
  const points = Float32Array.from({ length: samples * 2 }, () => random.normal());
  const labels = Uint8Array.from({ length: samples }, (_, i) => i % 2);
  const settings = { rate: 0.1, momentum: 0.9 };
  const at = { position: samples, epoch: 1, remaining: samples, labels };
  const ours = ensembleStage(
    ensemble(
      sizes,
      Array.from({ length: members }, (_, seed) => ({ name: `${seed}`, seed, regularizer: 'none' as const })),
    ),
    { sgd: settings },
  );
  const repeated = new Float32Array(samples * members * 2);
  for (let i = 0; i < samples; i++) {
    for (let m = 0; m < members; m++) repeated.set(points.subarray(2 * i, 2 * i + 2), 2 * (i * members + m));
  }
  let state = ours.start();
  const theirs = Array.from({ length: members }, (_, seed) => {
    const stage = trainStage(mlp(sizes), { loss: crossEntropy(), optimizer: sgd(settings), seed });
    return { stage, state: stage.start() };
  });
  return {
    name: 'WeirEnsemble',
    ours: () => {
      [state] = ours.next(state, { ...at, sampleShape: [members, 2], values: repeated });
    },
    theirs: () => {
      for (const one of theirs) [one.state] = one.stage.next(one.state, { ...at, sampleShape: [2], values: points });
    },
  };
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cifar10File } from '../../../../src/data/datasets/cifar10.js';
import { crossEntropy } from '../../../../src/learn/loss/cross-entropy.js';
import { gradientsOf } from '../../../../src/learn/loss/gradients.js';
import type { Model, Weights } from '../../../../src/learn/model/model.js';
import { type ResnetOptions, resnet } from '../../../../src/learn/model/resnet/resnet.js';
import { startingFrom } from '../../../../src/learn/weights/pretrained.js';
import { writeInput } from '../../../../src/measure/inputs.js';
import { supportsBfloat16 } from '../../../../src/tensorflow/ops/eager.js';
import { loadTensorFlow, type Runtime, tf } from '../../../../src/tensorflow/tf.js';
import { shared } from '../../../golden.js';
import { madeUpWeights, numbers } from '../random-weights.js';

/** What PyTorch makes of the same network, weights and images in float64. */
interface Case extends Pick<ResnetOptions, 'depth' | 'stem' | 'width' | 'inputSize' | 'padding'> {
  readonly loss: number;
  readonly logits: number[];
  /** Of each gradient its product with `numbers(500)`, and its length. */
  readonly gradients: Record<string, [product: number, length: number]>;
  /** First running statistics after the batch, by name. */
  readonly statistics: Record<string, number[]>;
  /** Logits in evaluation mode with those statistics. */
  readonly evaluation: number[];
}

const { cases } = JSON.parse(readFileSync(new URL('torch-resnet.json', import.meta.url), 'utf8')) as { cases: Case[] };
const samples = 4;
const labels = [0, 1, 2, 1];

const weightsOf = (model: Model): Weights =>
  madeUpWeights(model, (name) => (name.startsWith('readout') ? (name.endsWith('bias') ? 301 : 300) : undefined));

const built = ({ depth, stem, width, inputSize, padding }: Case, more: Partial<ResnetOptions> = {}): Model =>
  resnet({ depth, stem, width, inputSize, padding, classes: 3, ...more } as ResnetOptions);

const imagesOf = ({ inputSize: [height, width] }: Case): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from(numbers(400, samples * height * width * 3), (v) => 3 * v),
    [samples, height, width, 3],
  );

const lengthOf = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
};

const worst = (found: ArrayLike<number>, wanted: readonly number[]): number =>
  Math.max(...wanted.map((value, i) => Math.abs(found[i]! - value)));

let loaded: Runtime;
beforeAll(async () => {
  loaded = await loadTensorFlow();
});

describe.each(cases.map((one) => [`${one.depth} ${one.stem} ${one.padding}`, one] as const))('resnet %s', (_, one) => {
  test('loss, gradients and running statistics are those of PyTorch, and no tensor stays behind', ({ skip }) => {
    if (loaded.kind !== 'native') skip('needs the native TensorFlow runtime');
    const model = built(one);
    const weights = weightsOf(model);
    const x = imagesOf(one);
    const y = tf.tensor1d(labels, 'int32');
    const tolerance = one.depth === 50 ? 3e-2 : 2e-3; // float32 through 53 layers, and rectifiers that it closes or opens
    const before = tf.memory().numTensors;
    const learned = gradientsOf(model, crossEntropy(), weights, x, y);
    const { statistics, gradients } = learned;
    expect(tf.memory().numTensors - before).toBe(2 + weights.size);
    expect(learned.loss.dataSync()[0]).toBeCloseTo(one.loss, 3);
    expect([...gradients.keys()].sort()).toEqual(Object.keys(one.gradients).sort());
    for (const [name, [product, length]] of Object.entries(one.gradients)) {
      const found = Float64Array.from(gradients.get(name)!.dataSync());
      const along = numbers(500, found.length).reduce((sum, v, i) => sum + v * found[i]!, 0);
      expect(Math.abs(along - product) / length, name).toBeLessThan(tolerance);
      expect(Math.abs(lengthOf(found) / length - 1), name).toBeLessThan(tolerance);
    }
    for (const [name, values] of Object.entries(one.statistics)) {
      expect(worst(statistics!.get(name)!.dataSync(), values), name).toBeLessThan(1e-4);
    }
    const after = new Map([...weights, ...statistics!]);
    const scale = Math.max(...one.evaluation.map(Math.abs));
    expect(worst(model.logits(after, x).dataSync(), one.evaluation) / scale).toBeLessThan(1e-4);
  });
});

const native = (name: string, body: () => void) =>
  test(name, ({ skip }) => {
    if (loaded.kind !== 'native') skip('needs the native TensorFlow runtime');
    body();
  });

native('its Jacobian is the derivative of its features, forward and backward', () => {
  for (const one of cases) {
    const model = built(one);
    const weights = weightsOf(model);
    const x = imagesOf(one);
    const size = x.size / samples;
    const p = tf.tensor2d(Float32Array.from(numbers(1, x.size)), [samples, size]);
    const before = tf.memory().numTensors;
    const moved = model.jacobian!.forward(weights, x, p);
    const h = 1e-3;
    const at = (t: number) => model.features(weights, tf.add(x, tf.mul(tf.reshape(p, x.shape), t)));
    const quotient = tf.tidy(() => tf.div(tf.sub(at(h), at(-h)), 2 * h));
    const scale = tf.max(tf.abs(quotient)).dataSync()[0]!;
    // rectifiers on the way bend it: close, not equal
    expect(worst(moved.dataSync(), [...quotient.dataSync()]) / scale).toBeLessThan(0.05);
    const q = tf.tensor2d(Float32Array.from(numbers(2, moved.size)), moved.shape);
    const back = model.jacobian!.backward(weights, x, q);
    expect(back.shape).toEqual([samples, size]);
    const [one1, other] = tf.tidy(() =>
      [tf.sum(tf.mul(q, moved), 1), tf.sum(tf.mul(back, p), 1)].map((t) => [...t.dataSync()]),
    );
    expect(worst(one1!, other!) / lengthOf(other!)).toBeLessThan(1e-4);
    tf.dispose([moved, quotient, q, back]);
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(2 * 2 + 1 + 2); // what \`at\` made outside
  }
});

native('bfloat16 gives nearly the gradients of float32, in float32', () => {
  if (!supportsBfloat16()) return;
  const one: Case = { ...cases[0]!, inputSize: [32, 32] };
  const [exact, rounded] = (['float32', 'bfloat16'] as const).map((precision) => {
    const model = built(one, { precision });
    const weights = model.start(1);
    const learned = gradientsOf(model, crossEntropy(), weights, imagesOf(one), tf.tensor1d(labels, 'int32'));
    return { loss: learned.loss.dataSync()[0]!, gradients: learned.gradients };
  }) as [{ loss: number; gradients: Map<string, tf.Tensor> }, { loss: number; gradients: Map<string, tf.Tensor> }];
  expect(Math.abs(rounded.loss / exact.loss - 1)).toBeLessThan(0.02);
  const off: number[] = [];
  for (const [name, gradient] of exact.gradients) {
    const other = rounded.gradients.get(name)!;
    expect(other.dtype).toBe('float32');
    const [a, b] = [gradient, other].map((tensor) => Float32Array.from(tensor.dataSync())) as [
      Float32Array,
      Float32Array,
    ];
    off.push(lengthOf(a.map((value, i) => value - b[i]!)) / lengthOf(a));
  }
  off.sort((a, b) => a - b);
  expect(off[off.length >> 1]).toBeLessThan(0.4); // PyTorch's autocast on such a network: 0.31, and 0.50 at most
  expect(off.at(-1)).toBeLessThan(0.8);
});

test('names in the order of the flow, and the layers that a regularizer is on', () => {
  const model = resnet({ depth: 18, classes: 10, inputSize: [32, 32], width: 4 });
  const names = [...model.start(0).keys()];
  expect(names.slice(0, 6)).toEqual([
    ...['stem/kernel', 'stem/norm/scale', 'stem/norm/offset', 'stem/norm/mean', 'stem/norm/variance'],
    'stage1/block1/conv1/kernel',
  ]);
  expect(names.slice(-2)).toEqual(['readout/kernel', 'readout/bias']);
  expect(model.featureLayers.length).toBe(20);
  expect(model.statistics!.length).toBe(40);
  expect(model.featureLayers.filter(({ name }) => name.startsWith('stage2/block1'))).toMatchObject([
    { name: 'stage2/block1/conv1', stride: 2, inputSize: [32, 32], padding: 'circular' },
    { name: 'stage2/block1/conv2', stride: 1, inputSize: [16, 16] },
    { name: 'stage2/block1/shortcut', stride: 2, normalization: { variance: 'stage2/block1/shortcut/norm/variance' } },
  ]);
  const parameters = (of: Model) => [...of.start(0)].filter(([name]) => !of.statistics!.includes(name)).reduce((sum, [, { size }]) => sum + size, 0); // biome-ignore format: one idea
  // of the same networks in torchvision
  expect(parameters(resnet({ depth: 18, classes: 10, inputSize: [32, 32], width: 16 }))).toBe(701_466);
  expect(parameters(resnet({ depth: 50, classes: 10, inputSize: [64, 64], width: 8, stem: 'imagenet' }))).toBe(376_722);
  expect(parameters(resnet({ depth: 20, classes: 10, inputSize: [32, 32] }))).toBe(269_722);
});

test('kernels start as those of PyTorch, and of He where that is asked for', () => {
  const kernel = (initialization?: 'he') =>
    resnet({ depth: 18, classes: 10, inputSize: [32, 32], width: 16, ...(initialization && { initialization }) })
      .start(3)
      .get('stage1/block1/conv1/kernel')!
      .dataSync();
  const [torch, again, he] = [kernel(), kernel(), kernel('he')];
  expect(again).toEqual(torch);
  expect(Math.max(...torch.map(Math.abs))).toBeCloseTo(1 / 12, 4); // 1/√(9 · 16)
  expect(lengthOf(torch) / Math.sqrt(torch.length)).toBeCloseTo(1 / 12 / Math.sqrt(3), 3);
  expect(lengthOf(he) / Math.sqrt(he.length)).toBeCloseTo(Math.sqrt(2 / (9 * 16)), 2);
});

test('options that make no network are refused with those that do', () => {
  const options = { depth: 18, classes: 10, inputSize: [32, 32] } as const;
  const refused = (more: object) => () => resnet({ ...options, ...more });
  expect(refused({ depth: 19 })).toThrow("a residual network with depth '19' was asked for");
  expect(refused({ padding: 'same' })).toThrow(
    expect.objectContaining({ remedy: 'give padding as one of circular, zero' }),
  );
  expect(refused({ depth: 50, shortcut: 'option-a' })).toThrow("with shortcut 'option-a'");
  expect(refused({ precision: 'float16' })).toThrow("with precision 'float16'");
  expect(refused({ inputSize: 32 })).toThrow('with height undefined');
  expect(refused({ classes: 0 })).toThrow('with classes 0');
});

const [trained, images] = ['models/cifar10-resnet20.safetensors', 'cifar10/test_batch.bin.gz'].map((name) => join(shared, 'data', name)); // biome-ignore format: one idea
const reference = join(shared, 'data/models/cifar10-resnet20.reference.json');
describe.skipIf(![trained!, images!, reference].every(existsSync))('the trained ResNet-20 of data/models', () => {
  native('gives its reference logits, and about its accuracy', () => {
    const model = startingFrom(resnet({ depth: 20, classes: 10, inputSize: [32, 32], padding: 'zero' }), trained!);
    const weights = model.start(0);
    const data = cifar10File(images!);
    const normalize = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    const { first4_logits, first4_labels, acc_5000 } = JSON.parse(readFileSync(reference, 'utf8'));
    const count = 500;
    const rows = new Float32Array(count * 3072);
    for (let i = 0; i < count; i++) writeInput(data, i, rows, i * 3072, normalize);
    const logits = model.logits(weights, tf.tensor4d(rows, [count, 32, 32, 3]));
    expect([...data.labels.subarray(0, 4)]).toEqual(first4_labels);
    expect(worst(logits.dataSync(), (first4_logits as number[][]).flat())).toBeLessThan(1e-4);
    const right = tf.argMax(logits, 1).dataSync().filter((label, i) => label === data.labels[i]); // biome-ignore format: one idea
    expect(Math.abs(right.length / count - acc_5000)).toBeLessThan(0.05); // three standard errors
  });
});

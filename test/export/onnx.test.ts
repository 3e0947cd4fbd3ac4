import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onnxGraph } from '../../src/export/onnx/onnx.js';
import { writeOnnx } from '../../src/export/onnx/onnx-file.js';
import { modelOf } from '../../src/learn/model/described.js';
import { projected } from '../../src/learn/model/head.js';
import { model as layered } from '../../src/learn/model/layered.js';
import * as layers from '../../src/learn/model/layers.js';
import { linear } from '../../src/learn/model/linear.js';
import { mlp } from '../../src/learn/model/mlp.js';
import type { Model } from '../../src/learn/model/model.js';
import { resnet } from '../../src/learn/model/resnet/resnet.js';
import { type SavedTensors, savedTensors } from '../../src/learn/weights/saved-tensors.js';
import { loadTensorFlow, tf } from '../../src/tensorflow/tf.js';
import { numbers } from '../learn/model/random-weights.js';
import { inside, type Message, message, number, text } from './read-events.js';

const { conv, dense, batchNorm, relu, gelu, tanh, sigmoid, maxPool, meanPool, globalMean, residual } = layers;

/** Networks with every operation and every option that changes one. */
const networks: Readonly<Record<string, () => Model>> = {
  'mlp relu': () => mlp([12, 9, 8, 4], { activation: 'relu', scale: 'none' }),
  'mlp gelu, scaled': () => mlp([12, 40, 30, 4], { activation: 'gelu' }),
  'mlp tanh, scaled': () => mlp([12, 7, 4], { activation: 'tanh' }),
  linear: () => linear([12, 4]),
  'resnet18 circular': () => resnet({ depth: 18, classes: 10, inputSize: [32, 32], width: 16 }),
  'resnet18 zero': () => resnet({ depth: 18, classes: 10, inputSize: [32, 32], width: 16, padding: 'zero' }),
  'resnet20, option A': () => resnet({ depth: 20, classes: 5, inputSize: [15, 12], width: 4 }),
  'resnet50, ImageNet stem': () => resnet({ depth: 50, classes: 5, inputSize: [64, 64], width: 4, stem: 'imagenet' }),
  'a projection head': () =>
    projected(resnet({ depth: 18, classes: 5, inputSize: [8, 8], width: 4 }), { hidden: [6], outputs: 3 }),
  'layers of all kinds': () =>
    layered({
      inputShape: [9, 10, 2],
      layers: [
        ...[conv(4, { stride: 2 }), batchNorm(), gelu(), conv(6, { size: 5, padding: 'zero', bias: false }), tanh()],
        residual([conv(8, { bias: false }), batchNorm()], [conv(8, { size: 1 })]),
        ...[residual([conv(8), sigmoid()]), maxPool(), meanPool(1), dense(7, { bias: false }), relu(), dense(3)],
      ],
    }),
  'layers to a mean': () =>
    layered({ inputShape: [6, 6, 1], layers: [conv(3), relu(), globalMean(), batchNorm(), dense(2, { bias: false })] }),
};

/** Weights at which no value is at its first: statistics differ from 0 and 1, and no activation dies. */
function madeUp(model: Model): SavedTensors {
  return savedTensors(model.start(1)).map(({ name, shape, values }, key) => {
    const made = numbers(key, values.length);
    const about = /(scale|variance)$/.test(name) ? 1 : 0;
    const factor = shape.length > 1 ? 3 / Math.sqrt(values.length / shape.at(-1)!) : 0.5;
    return { name, shape, values: Float32Array.from(made, (value) => about + factor * value) };
  });
}

let folder: string;
beforeAll(async () => {
  await loadTensorFlow();
  folder = mkdtempSync(join(tmpdir(), 'weir-onnx-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Exported {
  readonly file: string;
  readonly model: Model;
  readonly weights: SavedTensors;
}

const made = new Map<string, Exported>();

/** A network, exported as it is made anew from what is stored of it, as the command does. */
function exported(name: string): Exported {
  const known = made.get(name);
  if (known !== undefined) return known;
  const model = networks[name]!();
  const weights = madeUp(model);
  const file = join(folder, `${name}.onnx`);
  const shapes = new Map(weights.map(({ name, shape }) => [name, shape]));
  const anew = modelOf(model.architecture!, shapes);
  expect(anew.architecture).toEqual(model.architecture);
  writeOnnx(file, onnxGraph(anew, weights), { classes: '["a","b"]' });
  made.set(name, { file, model, weights });
  return { file, model, weights };
}

const texts = (message: Message, field: number): string[] => (message.get(field) ?? []).map(String);
const dimensions = (value: Message): (number | string)[] =>
  inside(value, 2, 1, 2, 1).map((one) => text(one, 2) || number(one, 1));

describe.each(Object.keys(networks))('%s', (name) => {
  test('every node takes what is there before it, and the outputs come out of the last ones', () => {
    const { file, model, weights } = exported(name);
    const read = message(readFileSync(file));
    const graph = inside(read, 7)[0]!;
    expect(number(inside(read, 8)[0], 2)).toBe(20);
    const initializers = inside(graph, 5);
    const known = new Set(['input', ...initializers.map((one) => text(one, 8))]);
    for (const node of inside(graph, 1)) {
      for (const input of texts(node, 1)) expect(known).toContain(input);
      for (const output of texts(node, 2)) {
        expect(known).not.toContain(output);
        known.add(output);
      }
    }
    const outputs = inside(graph, 12);
    expect(outputs.map((one) => text(one, 1))).toEqual(['logits', 'features']);
    for (const output of outputs) expect(known).toContain(text(output, 1));
    expect(dimensions(outputs[0]!)).toEqual(['batch', model.classes]);
    const [height, width, channels] = model.inputShape;
    const sample = channels === undefined ? [height] : [channels, height, width];
    expect(dimensions(inside(graph, 11)[0]!)).toEqual(['batch', ...sample]);
    const floats = initializers.filter((one) => number(one, 2) === 1);
    const bytes = floats.reduce((sum, one) => sum + (one.get(9)![0] as Buffer).length, 0);
    expect(bytes).toBe(weights.reduce((sum, { values }) => sum + values.byteLength, 0)); // each weight, once
    expect(inside(read, 14).map((one) => [text(one, 1), text(one, 2)])).toContainEqual(['classes', '["a","b"]']);
  });
});

test('circular padding wraps, gelu is that by erf, and the scale of an MLP is that of its products', () => {
  const nodesOf = (name: string) => inside(message(readFileSync(exported(name).file)), 7, 1);
  const attributes = (node: Message) => new Map(inside(node, 5).map((one) => [text(one, 1), one]));
  const padding = (name: string) =>
    nodesOf(name).flatMap((node) => (text(node, 4) === 'Pad' ? [text(attributes(node).get('mode'), 4)] : []));
  expect(padding('resnet18 circular')).toEqual(Array(17).fill('wrap')); // the 1 × 1 convolutions need none
  expect(padding('resnet18 zero')).toEqual([]);
  const scaled = nodesOf('mlp gelu, scaled').map((node) => [text(node, 4), attributes(node)] as const);
  expect(scaled.map(([operator]) => operator)).toEqual(['Gemm', 'Gelu', 'Gemm', 'Gelu', 'Gemm']);
  expect(text(scaled[1]![1].get('approximate'), 4)).toBe('none');
  expect(scaled[0]![1].has('alpha')).toBe(false);
  for (const key of ['alpha', 'beta']) expect(number(scaled[2]![1].get(key), 2)).toBeCloseTo(1 / Math.sqrt(40), 6);
});

test('a network is refused by its part without a form, by a weight that does not fit, and by its size, before a file is there', () => {
  const file = join(folder, 'refused.onnx');
  const own = layers.own({ name: 'cube', apply: (x) => tf.mul(x, tf.square(x)) });
  const model = layered({ inputShape: [4], layers: [dense(3), residual([own]), dense(2)] });
  const weights = savedTensors(model.start(1));
  const shapes = new Map(weights.map(({ name, shape }) => [name, shape]));
  expect(() => modelOf(model.architecture!, shapes)).toThrow("layer 'cube' of the network is the user's own function");
  expect(() => onnxGraph(model, weights)).toThrow('does not state its steps in evaluation');
  expect(() => layers.own({ name: 'relu', apply: (x) => x })).toThrow('layers.own was given name = "relu"');
  expect(() => modelOf({ architecture: 'transformer' }, shapes)).toThrow(
    "architecture 'transformer' cannot be made anew",
  );
  expect(() => onnxGraph(mlp([4, 2, 2]), weights)).toThrow("the weights have no 'hidden1/kernel'");
  const small = savedTensors(mlp([4, 2, 2]).start(1));
  expect(() => onnxGraph(mlp([5, 2, 2]), small)).toThrow("'hidden1/kernel' is [4, 2], but mlp 5-2-2 gelu takes [5, 2]");
  const half = { shape: [2 ** 28], values: new Float32Array(2 ** 28) }; // 1 GiB that is never touched
  const huge = { name: 'huge', input: { name: 'input', shape: [1] }, outputs: [], nodes: [], lists: new Map() };
  const both = new Map([
    ['one', half],
    ['other', half],
  ]);
  expect(() => writeOnnx(file, { ...huge, weights: both }, {})).toThrow('the network would have 2.0 GiB as ONNX');
  expect(existsSync(file)).toBe(false);
});

const hasRuntime = (): boolean => {
  try {
    execFileSync(process.env.WEIR_PYTHON!, ['-c', 'import onnx, onnxruntime'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const python = process.env.WEIR_PYTHON && hasRuntime();

test.skipIf(!python)(
  'onnxruntime gives the same logits and features, and the checker of onnx agrees (WEIR_PYTHON with onnxruntime)',
  () => {
    const names = Object.keys(networks);
    const ours = names.map((name) => {
      const { file, model, weights } = exported(name);
      const values = Float32Array.from(numbers(7, 5 * model.inputShape.reduce((a, b) => a * b, 1)));
      const shape = [5, ...model.inputShape];
      const found = tf.tidy(() => {
        const own = new Map(weights.map(({ name, shape, values }) => [name, tf.tensor(values, [...shape])]));
        const x = tf.tensor(values, shape);
        return { logits: model.logits(own, x).dataSync(), features: model.features(own, x).dataSync() };
      });
      return { name, found, asked: [file, shape, [...values]] };
    });
    const list = join(folder, 'list.json');
    writeFileSync(list, JSON.stringify(ours.map(({ asked }) => asked)));
    const script = join(import.meta.dirname, 'onnx_logits.py');
    const theirs = JSON.parse(
      execFileSync(process.env.WEIR_PYTHON!, [script, list], { encoding: 'utf8', maxBuffer: 2 ** 26 }),
    ) as { logits: number[]; features: number[] }[];
    for (const [i, { name, found }] of ours.entries()) {
      for (const output of ['logits', 'features'] as const) {
        const largest = Math.max(...found[output].map(Math.abs));
        const difference = Math.max(...found[output].map((value, at) => Math.abs(value - theirs[i]![output][at]!)));
        expect(largest, name).toBeGreaterThan(0.01);
        expect(difference / largest, `${output} of ${name}`).toBeLessThan(1e-5);
        if (process.env.SHOWN) console.log(name, output, difference / largest, largest);
      }
    }
  },
);

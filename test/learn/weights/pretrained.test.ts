import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { imagenetStatistics } from '../../../src/data/augment/recipes.js';
import type { Dataset } from '../../../src/data/dataset.js';
import { cifar10File } from '../../../src/data/datasets/cifar10.js';
import { type ResnetOptions, resnet } from '../../../src/learn/model/resnet/resnet.js';
import { startingFrom } from '../../../src/learn/weights/pretrained.js';
import { accuracy } from '../../../src/measure/accuracy/accuracy.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { shared } from '../../golden.js';

const file = join(shared, 'data/models/cifar10-resnet20.safetensors');
const images = join(shared, 'data/cifar10/lossless_train_4000.bin.gz');
const wasm = process.env.WEIR_RUNTIME === 'wasm';

/** The network that PyTorch's users know as akamaster's ResNet-20, from elsewhere: its file says nothing but tensors. */
describe.skipIf(wasm || !existsSync(file) || !existsSync(images))('a ResNet-20 for CIFAR-10 by PyTorch', () => {
  const made = (options: Partial<ResnetOptions> = {}) =>
    resnet({ depth: 20, classes: 10, inputSize: [32, 32], ...options });
  let said: string[];

  /** Part of the first `size` images that are classified correctly. */
  const accuracyOf = (model: ReturnType<typeof made>, size: number): number => {
    const { values, labels, ...set } = cifar10File(images) as Dataset;
    const first = { ...set, size, values: values.subarray(0, size * 3072), labels: labels.subarray(0, size) };
    const stage = accuracy(model, first, { normalize: imagenetStatistics, batch: 250 });
    const weights = model.start(0);
    const at = { position: 0, number: 0, epoch: 0, endsEpoch: true, weights };
    const none = { loss: () => 0, epochLoss: () => 0, epochAccuracy: () => 0 };
    const steps = [
      ...(stage.next(stage.start(), { ...at, ...none }) as Iterable<readonly [unknown, { accuracy: number }?]>),
    ];
    tf.dispose([...weights.values()]);
    return steps.at(-1)![1]!.accuracy;
  };

  beforeAll(async () => {
    await loadTensorFlow();
    said = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said.push(String(text));
      return true;
    });
  });
  afterAll(() => vi.restoreAllMocks());

  test('99.9 % of the first 1,000 lossless images, and 99.8 % of all 4,000: padding said, the rest told', () => {
    const model = startingFrom(made(), file, { padding: 'zero' });
    expect(() => model.start(0)).toThrow(
      expect.objectContaining({
        message: `the weights of ${file} are of a network with padding 'zero', but resnet20 cifar width 16 circular has padding 'circular'`,
        remedy: expect.stringContaining("make the model with padding: 'zero'"),
      }),
    );
    const right = startingFrom(made({ padding: 'zero' }), file);
    expect(accuracyOf(right, 1000)).toBeCloseTo(0.999, 10);
    expect(accuracyOf(right, 4000)).toBeCloseTo(0.998, 3);
    expect(said.join('')).toContain(
      `${file} says nothing of its padding, activation, shortcut: taken to be padding zero, activation relu, shortcut option-a`,
    );
  });

  test('into a network whose padding nobody has said it does not go', () => {
    const held = tf.memory().numTensors;
    expect(() => startingFrom(made(), file).start(0)).toThrow(
      expect.objectContaining({
        message: `${file} does not say what its network sees beyond the edge of an image, and resnet20 cifar width 16 circular was not told either`,
        remedy: expect.stringContaining('--set padding=zero'),
      }),
    );
    expect(tf.memory().numTensors).toBe(held);
  });

  test('told that it pads circularly it does, and is wrong as told: 91.2 %', () => {
    expect(accuracyOf(startingFrom(made({ padding: 'circular' }), file), 1000)).toBeCloseTo(0.912, 3);
  });
});

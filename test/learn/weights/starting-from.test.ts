import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { mlp } from '../../../src/learn/model/mlp.js';
import type { Weights } from '../../../src/learn/model/model.js';
import { startingFrom, torchNames, toTorch } from '../../../src/learn/weights/pretrained.js';
import { writeSafetensors } from '../../../src/learn/weights/safetensors.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';

const model = mlp([3, 4, 2]);
let folder: string;
let file: string;

const stored = (weights: Weights) =>
  new Map(
    [...weights].map(([name, x]) => [
      torchNames(name)[0],
      toTorch({ shape: x.shape, values: x.dataSync<'float32'>().slice() }),
    ]),
  );
const values = (weights: Weights) => Object.fromEntries([...weights].map(([name, x]) => [name, [...x.dataSync()]]));

beforeAll(async () => {
  await loadTensorFlow();
  folder = mkdtempSync(join(tmpdir(), 'weir-starting-'));
  file = join(folder, 'weights.safetensors');
  writeSafetensors(file, stored(model.start(7)));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('it begins with the weights of the file, whatever the seed; fresh layers with those of the seed', () => {
  expect(values(startingFrom(model, file).start(1))).toEqual(values(model.start(7)));
  const begun = values(startingFrom(model, file, { fresh: ['readout'] }).start(1));
  const [seven, one] = [values(model.start(7)), values(model.start(1))];
  expect(begun).toEqual({
    'hidden1/kernel': seven['hidden1/kernel'],
    'hidden1/bias': seven['hidden1/bias'],
    'readout/kernel': one['readout/kernel'],
    'readout/bias': one['readout/bias'],
  });
});

test('a head for other classes begins anew; without that its shape is refused', () => {
  const other = mlp([3, 4, 5]);
  expect(
    startingFrom(other, file, { fresh: ['readout'] })
      .start(0)
      .get('readout/kernel')!.shape,
  ).toEqual([4, 5]);
  expect(() => startingFrom(other, file).start(0)).toThrow(
    `tensor 'fc.weight' of ${file} is [4, 2] in the order of Weir, but ${other.name} needs [4, 5]`,
  );
});

test('a fresh layer that the model has not is named with those it has', () => {
  expect(() => startingFrom(model, file, { fresh: ['readuot'] }).start(0)).toThrow(
    `${model.name} has no layer 'readuot' that could begin anew`,
  );
});

test('a tensor that is missing, one too many: named, and nothing is left on the device', () => {
  const deep = mlp([3, 4, 4, 2]);
  const before = tf.memory().numTensors;
  expect(() => startingFrom(deep, file).start(0)).toThrow(
    `${file} has no tensor 'hidden2.weight', which ${deep.name} needs for 'hidden2/kernel'`,
  );
  const more = join(folder, 'more.safetensors');
  writeSafetensors(more, stored(new Map([...model.start(0), ['hidden9/bias', tf.tensor1d([1])]])));
  const held = tf.memory().numTensors;
  expect(() => startingFrom(model, more).start(0)).toThrow(`${more} has a tensor 'hidden9.bias'`);
  expect(tf.memory().numTensors).toBe(held);
  expect(held - before).toBe(5);
});

test('what the file has besides is dropped by name or by what names begin with', () => {
  const more = join(folder, 'projected.safetensors');
  const head = ['projector1/kernel', 'projector1/bias', 'projector2/kernel'].map((name) => [name, tf.zeros([4, 4])] as const); // biome-ignore format: one idea
  const whole = new Map<string, tf.Tensor>([...model.start(7), ...head]);
  writeSafetensors(more, stored(whole));
  const seven = values(model.start(7));
  expect(values(startingFrom(model, more, { drop: ['projector'] }).start(1))).toEqual(seven);
  expect(values(startingFrom(model, more, { drop: ['projector1', 'projector2.weight'] }).start(1))).toEqual(seven);
  expect(() => startingFrom(model, more, { drop: ['projector1.'] }).start(1)).toThrow(
    expect.objectContaining({
      message: `${more} has a tensor 'projector2.weight' that ${model.name} has no place for`,
      remedy: "take the model that the weights are of, or leave it out: drop: ['projector2']",
    }),
  );
});

test('what cannot be dropped is told with what there is; what the model needs is missed', () => {
  for (const odd of ['projector', '']) {
    expect(() => startingFrom(model, file, { drop: [odd] }).start(0)).toThrow(
      expect.objectContaining({
        message: `${file} has no tensor '${odd}' that could be dropped`,
        remedy: 'it has hidden1.weight, hidden1.bias, fc.weight, fc.bias',
      }),
    );
  }
  expect(() => startingFrom(model, file, { drop: ['fc'] }).start(0)).toThrow(
    `${file} has no tensor 'fc.weight' that is not dropped, which ${model.name} needs for 'readout/kernel'`,
  );
  expect(values(startingFrom(model, file, { drop: ['fc'], fresh: ['readout'] }).start(1))).toMatchObject({
    'readout/kernel': values(model.start(1))['readout/kernel'],
  });
});

describe('what no tensor says', () => {
  const named = (name: string, metadata: Record<string, string>, prefix = ''): string => {
    const path = join(folder, name);
    const tensors = [...stored(model.start(7))].map(([key, tensor]) => [prefix + key, tensor] as const);
    writeSafetensors(path, new Map(tensors), metadata);
    return path;
  };
  let said: string[];
  beforeEach(() => {
    said = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said.push(String(text));
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  test('a network of another activation or scale is refused by what differs; the same is taken without a word', () => {
    const same = named('same.safetensors', {
      activation: 'gelu',
      scale: 'width',
      normalization: '{"mean":[0.5],"std":[1]}',
    });
    startingFrom(model, same).start(0);
    expect(said).toEqual([]);
    const other = named('other.safetensors', { activation: 'relu', scale: 'none' });
    expect(() => startingFrom(model, other).start(0)).toThrow(
      expect.objectContaining({
        message: `the weights of ${other} are of a network with activation 'relu' and scale 'none', but ${model.name} has activation 'gelu' and scale 'width'`,
        remedy: "make the model with activation: 'relu', scale: 'none', or take weights of such a network",
      }),
    );
  });

  test('of a file that says nothing it is told once what was assumed', () => {
    const plain = named('plain.safetensors', {});
    for (let i = 0; i < 2; i++) startingFrom(model, plain).start(0);
    expect(said).toEqual([
      `${plain} says nothing of its activation, scale: taken to be activation gelu, scale width, as ${model.name} has it; nor what its inputs were normalized with\n`,
    ]);
  });

  test('a prefix that a wrapper put before every name is left out, and said', () => {
    const says = { activation: 'gelu', scale: 'width' };
    for (const prefix of ['module.', '_orig_mod.module.', 'model.']) {
      const wrapped = named(`${prefix}safetensors`, says, prefix);
      expect(values(startingFrom(model, wrapped).start(1))).toEqual(values(model.start(7)));
      expect(said.pop()).toBe(`${wrapped}: every name begins with '${prefix}', which is left out\n`);
    }
  });

  test('its outputs stand for the classes that they stood for, unless the readout is fresh; other normalization is told', () => {
    const says = {
      activation: 'gelu',
      scale: 'width',
      classes: '["a","b"]',
      normalization: '{"mean":[0.5],"std":[1]}',
    };
    const about = named('about.safetensors', says);
    expect(startingFrom(model, about).pretrainedClasses!(undefined)).toEqual({ of: about, names: ['a', 'b'] });
    const fresh = startingFrom(model, about, { fresh: ['readout'] });
    expect(fresh.pretrainedClasses!({ mean: [0.5], std: [1] })).toBe(undefined);
    expect(said).toEqual([]);
    fresh.pretrainedClasses!({ mean: [0.4], std: [1] });
    expect(said).toEqual([
      `the network of ${about} was trained on inputs normalized by mean 0.5, std 1; here it is mean 0.4, std 1\n`,
    ]);
  });
});

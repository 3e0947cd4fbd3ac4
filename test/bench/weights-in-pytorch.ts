import { join } from 'node:path';
import { sizeOf } from '../../src/flow/data.js';
import { keyed } from '../../src/flow/random.js';
import { crossEntropy } from '../../src/learn/loss/cross-entropy.js';
import { type MlpOptions, mlp } from '../../src/learn/model/mlp.js';
import { type Model, uniform, type Weights } from '../../src/learn/model/model.js';
import { type ResnetOptions, resnet } from '../../src/learn/model/resnet/resnet.js';
import { sgd } from '../../src/learn/optimizer/sgd.js';
import { trainStage } from '../../src/learn/train.js';
import { inTorch, startingFrom } from '../../src/learn/weights/pretrained.js';
import { writeSafetensors } from '../../src/learn/weights/safetensors.js';
import { restoreTensors, savedTensors } from '../../src/learn/weights/saved-tensors.js';
import { tf } from '../../src/tensorflow/tf.js';
import { besidePyTorch, type FilesPeer } from './compare.js';

const reach = 1e-4;
const updates = 4;

/** A network on both sides. */
interface Pair {
  readonly name: string;
  readonly model: Model;
  /** What peers/weights_in_pytorch.py makes it of. */
  readonly there: object;
  /** Samples that it is evaluated on. */
  readonly count: number;
}

const residual = (options: Pick<ResnetOptions, 'depth' | 'stem' | 'padding'>, pixels: number, count: number): Pair => {
  const padding = options.padding === 'zero' ? 'zeros' : 'circular';
  return {
    name: `ResNet-${options.depth}, ${options.stem} stem, ${options.padding} padding, ${pixels} px`,
    model: resnet({ ...options, classes: 10, inputSize: [pixels, pixels] }),
    there: { ...options, padding, classes: 10 },
    count,
  };
};

const dense = (sizes: readonly number[], scale: NonNullable<MlpOptions['scale']>): Pair => ({
  name: `MLP ${sizes.join('-')}, scale ${scale}`,
  model: mlp(sizes, { activation: 'relu', scale, initialization: uniform() }),
  there: { sizes, scale },
  count: 64,
});

/**
 * The round trip of weights with PyTorch: networks of Weir, exported, give the same logits in torchvision's modules, and those of PyTorch
 * give the same here; names are complete both ways (PyTorch's strict loading; `startingFrom` is strict by itself). What is printed is
 * the largest difference of logits over the largest logit.
 *
 * ResNets go by torchvision's names; the layers of an MLP are 'hidden1', 'hidden2', …, 'fc', each with 'weight' and 'bias'.
 */
export function bench(): Promise<boolean> {
  const cifar = { depth: 18, stem: 'cifar' } as const;
  return besidePyTorch('weights-in-pytorch', { reach, threads: 2 }, async (peer) => [
    await there(residual({ ...cifar, padding: 'circular' }, 32, 16), trained, peer),
    await there(residual({ ...cifar, padding: 'zero' }, 32, 16), trained, peer),
    await there(residual({ depth: 50, stem: 'imagenet', padding: 'zero' }, 224, 2), untrained, peer),
    await there(residual({ depth: 50, stem: 'imagenet', padding: 'circular' }, 224, 2), untrained, peer),
    await there(dense([784, 64, 32, 10], 'none'), trained, peer),
    await there(dense([784, 64, 32, 10], 'width'), trained, peer),
    await back(residual({ depth: 18, stem: 'imagenet', padding: 'zero' }, 224, 2), peer),
    await back(residual({ depth: 50, stem: 'imagenet', padding: 'zero' }, 224, 2), peer),
    await back(residual({ ...cifar, padding: 'circular' }, 32, 16), peer),
    await back(dense([784, 64, 32, 10], 'none'), peer),
  ]);
}

/** Weir → PyTorch. */
async function there(pair: Pair, weightsOf: (model: Model) => Weights, { python, folder }: FilesPeer): Promise<number> {
  const [file, inputs] = [join(folder, 'there.safetensors'), join(folder, 'inputs.safetensors')];
  const weights = weightsOf(pair.model);
  writeSafetensors(file, inTorch(savedTensors(weights)), { format: 'pt' });
  const x = samplesOf(pair, inputs);
  const task = { task: 'evaluate', network: pair.there, weights: file, inputs };
  const { logits, missing, unexpected } = await python.ask(JSON.stringify(task));
  const ours = logitsOf(pair.model, weights, x);
  const odd = [...(missing as string[]), ...(unexpected as string[])];
  return printed(`Weir → PyTorch, ${pair.name}: ${weights.size} tensors`, ours, logits as number[], odd);
}

/** PyTorch → Weir. */
async function back(pair: Pair, { python, folder }: FilesPeer): Promise<number> {
  const [file, inputs] = [join(folder, 'back.safetensors'), join(folder, 'inputs.safetensors')];
  const x = samplesOf(pair, inputs);
  const task = { task: 'write', network: pair.there, weights: file, inputs };
  const { logits } = await python.ask(JSON.stringify(task));
  const weights = startingFrom(pair.model, file).start(1);
  const ours = logitsOf(pair.model, weights, x);
  return printed(`PyTorch → Weir, ${pair.name}: ${weights.size} tensors`, ours, logits as number[], []);
}

/** Prints how far the logits are apart, over the largest of them; infinity where names were missing or too many. */
function printed(what: string, ours: Float32Array, theirs: readonly number[], odd: readonly string[]): number {
  const largest = Math.max(...theirs.map(Math.abs));
  const apart = Math.max(...theirs.map((value, i) => Math.abs(value - (ours[i] ?? Number.NaN)))) / largest;
  const difference = odd.length > 0 || Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
  const names = odd.length > 0 ? `, names that do not fit: ${odd.join(', ')}` : '';
  const verdict = difference <= reach ? 'pass' : 'FAIL';
  console.log(
    `${what}, logits up to ${largest.toPrecision(3)}, apart by ${apart.toExponential(1)}${names}: ${verdict}`,
  );
  return difference;
}

/** Normal numbers of the model's shape, which also go into a file as PyTorch has them: [n, channels, height, width], or [n, inputs]. */
function samplesOf({ model, count }: Pair, file: string): tf.Tensor {
  const shape = [count, ...model.inputShape];
  const random = keyed(0, 'bench/inputs');
  const values = new Float32Array(sizeOf(shape)).map(() => random.normal());
  writeSafetensors(file, new Map([['x', shape.length === 4 ? channelsFirst(shape, values) : { shape, values }]]));
  return tf.tensor(values, shape);
}

function channelsFirst(shape: readonly number[], values: Float32Array) {
  const [x, turned] = [tf.tensor(values, [...shape]), [0, 3, 1, 2]];
  const there = tf.transpose(x, turned);
  const found = { shape: there.shape, values: there.dataSync<'float32'>().slice() };
  tf.dispose([x, there]);
  return found;
}

/** Takes the weights and the samples. */
function logitsOf(model: Model, weights: Weights, x: tf.Tensor): Float32Array {
  const logits = model.logits(weights, x);
  const values = logits.dataSync<'float32'>().slice();
  tf.dispose([...weights.values(), x, logits]);
  return values;
}

/** Weights after a few updates on made-up samples, a level for each class, so that the running statistics are those of maps. */
function trained(model: Model): Weights {
  const stage = trainStage(model, { loss: crossEntropy(), optimizer: sgd({ rate: 0.05, momentum: 0.9 }), seed: 0 });
  const random = keyed(0, 'bench/training');
  const [size, length] = [32, sizeOf(model.inputShape)];
  let state = stage.start();
  for (let number = 1; number <= updates; number++) {
    const labels = Uint8Array.from({ length: size }, () => random.integer(10));
    const values = new Float32Array(size * length).map((_, i) => random.normal() + labels[Math.floor(i / length)]! / 5);
    const at = { position: number * size, epoch: 1, remaining: 1, sampleShape: model.inputShape };
    [state] = stage.next(state, { ...at, values, labels });
  }
  const weights = restoreTensors(savedTensors(state.weights));
  stage.dispose(state);
  return weights;
}

/** First weights, with batch normalizations that are not the identity: a mix-up of their parts would show. */
function untrained(model: Model): Weights {
  const random = keyed(0, 'bench/statistics');
  const about: Readonly<Record<string, number>> = { scale: 1, offset: 0, mean: 0, variance: 1 };
  const weights = model.start(0);
  const saved = savedTensors(weights).map(({ name, shape, values }) => {
    const middle = name.includes('/norm/') ? about[name.slice(name.lastIndexOf('/') + 1)] : undefined;
    return { name, shape, values: middle === undefined ? values : values.map(() => middle + random.uniform() - 0.5) };
  });
  tf.dispose([...weights.values()]);
  return restoreTensors(saved);
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConvLayer, type Model, type Weights, weight } from '../../../src/learn/model/model.js';
import { resnet } from '../../../src/learn/model/resnet/resnet.js';
import { tf } from '../../../src/tensorflow/tf.js';
import { pythonPeer } from '../compare.js';

export const threads = 2;

/** ResNet-18 for CIFAR-10: 20 convolutions on 32 × 32 images. */
export const model: Model = resnet({ depth: 18, stem: 'cifar', inputSize: [32, 32], classes: 10 });

export const convolutions = model.featureLayers as readonly ConvLayer[];

/**
 * Two sets of kernels: as they are initialized (PyTorch's default), where many frequencies are nearly as large as the largest; and with
 * a smooth direction that stands out, as training adds one.
 */
export function kernelSets(): readonly Weights[] {
  const fresh = model.start(0);
  const trained = new Map(
    [...fresh].map(([name, w]) => [
      name,
      w.rank !== 4
        ? w
        : tf.tidy(() => {
            const [rows, columns, inputs, outputs] = w.shape as [number, number, number, number];
            const spread = 2 / Math.sqrt(rows * columns * inputs * outputs * rows * columns);
            const [u, v] = [
              tf.randomNormal([inputs, 1], 0, 1, 'float32', 1),
              tf.randomNormal([1, outputs], 0, 1, 'float32', 2),
            ];
            return tf.add(w, tf.mul(tf.matMul(u, v), spread));
          }),
    ]),
  );
  return [fresh, trained];
}

/** The authors' code on the same kernels, or undefined where there is no Python or no checkout of theirs. */
export async function authors(sets: readonly Weights[]) {
  const reference = process.env.WEIR_REFERENCE;
  if (!reference) {
    console.log('WEIR_REFERENCE is not set: name a checkout of Pehlevan-Group/rep-spectral');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const file = join(folder, 'kernels.f32');
  const parts = sets.flatMap((weights) =>
    convolutions.map(({ kernel }) => weight(weights, kernel).dataSync<'float32'>()),
  );
  writeFileSync(file, Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))));
  const layers = convolutions.map(({ kernel, stride, inputSize }) => [
    ...weight(sets[0]!, kernel).shape,
    ...[stride, ...inputSize],
  ]);
  const peer = await pythonPeer('convolutions.py', [reference, file, JSON.stringify(layers), String(threads)]);
  rmSync(folder, { recursive: true });
  return peer;
}

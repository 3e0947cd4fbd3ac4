import { createInterface } from 'node:readline';
import { processGroup } from '../../../src/tensorflow/collectives/process-group.js';
import { loadTensorFlow, tf } from '../../../src/tensorflow/tf.js';
import { onCifar, ours } from './residual-step.js';

/**
 * A rank of several, or a process alone, that trains ResNet-18 through the whole graph: every line 'round' is so many updates, 'bare' as
 * many sums of as many bytes as a gradient has. Answers how long each took, and each call of the largest sum.
 */
const [size, updates] = process.argv.slice(2).map(Number) as [number, number];
await loadTensorFlow();
const joined = processGroup();
const calls: number[] = [];
let largest = 0;
const { sum } = joined;
joined.sum = (x) => {
  const begun = performance.now();
  const result = sum(x);
  if (x.size > largest) {
    largest = x.size;
    calls.length = 0;
  }
  if (x.size === largest) calls.push(performance.now() - begun);
  return result;
};
const side = await ours({ ...onCifar, size }, 'float32', updates);

function bare(): number[] {
  const x = tf.ones([largest]) as tf.Tensor1D;
  const times = Array.from({ length: 5 * updates }, () => {
    const begun = performance.now();
    sum(x).dispose();
    return performance.now() - begun;
  });
  x.dispose();
  return times;
}

process.stdout.write(`${JSON.stringify({ ready: side.name })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  calls.length = 0;
  const answer = line === 'bare' ? { seconds: 0, calls: bare() } : { seconds: await side.round(0), calls };
  process.stdout.write(`${JSON.stringify({ ...answer, bytes: 4 * largest })}\n`);
}
process.exit();

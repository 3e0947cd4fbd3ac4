import { loadTensorFlow } from '../../../src/tensorflow/tf.js';
import { type Kind, trained } from './training.js';

// One rank of several: trains each kind for so many updates, as the arguments say, and prints what came out.
await loadTensorFlow();
const results = process.argv.slice(2).map((one) => {
  const [kind, updates] = one.split('=') as [Kind, string];
  return [kind, trained(kind, Number(updates))];
});
process.stdout.write(JSON.stringify(Object.fromEntries(results)));

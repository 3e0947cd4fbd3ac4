import { rmSync } from 'node:fs';
import { mnist } from '../../src/data/datasets/mnist.js';
import { mlp } from '../../src/learn/model/mlp.js';
import { apgd } from '../../src/measure/attack/apgd.js';
import { loadTensorFlow } from '../../src/tensorflow/tf.js';
import { compare, pythonPeer } from './compare.js';
import { attackedBy, handedOver } from './sides/attacked.js';
import { digitsFolder, trainedOnDigits } from './sides/on-mnist.js';

const threads = 2;
const width = 2000;
const epsilon = 1;
const steps = 100;
const loss = 'cross-entropy';

/**
 * APGD in l2 at one ε on the first test digits that an MLP gets right, one restart, against that of torchattacks with as many steps on the same
 * weights and digits. Reached where ours takes no longer and the two robust accuracies differ by at most 0.5 points.
 *
 * @param options how many digits (1000)
 */
export async function bench([digits = '1000']: string[] = []): Promise<boolean> {
  process.env.WEIR_THREADS ??= String(threads);
  const runtime = await loadTensorFlow();
  const { train, test } = mnist({ data: digitsFolder() });
  const model = mlp([784, width, 10]);
  const weights = trainedOnDigits(model, train);
  const samples = Number(digits);
  const attack = () =>
    attackedBy(apgd(model, test, { samples, epsilon, steps, loss, seed: 0, shuffle: false }), weights);
  let own = attack();
  const { folder, files } = handedOver(weights, own);
  try {
    const peer = await pythonPeer('apgd.py', [width, ...files, own.length, threads].map(String));
    if (peer === undefined) return false;
    const ask = `ce ${epsilon} ${steps}`;
    const first = await peer.ask(`ce ${epsilon} 2`);
    if (first.missing !== undefined) {
      console.log(`torchattacks: ${first.missing}`);
      peer.close();
      return false;
    }
    let theirs = Number.NaN;
    const { reached } = await compare({
      name: 'apgd-mlp',
      ours: {
        name: `Weir (TensorFlow ${runtime.version}, ${runtime.threads} threads)`,
        round() {
          const begun = performance.now();
          own = attack();
          return (performance.now() - begun) / 1e3;
        },
      },
      peer: {
        name: `torchattacks, APGD (${peer.ready})`,
        async round() {
          const answer = await peer.ask(ask);
          theirs = answer.left as number;
          return answer.seconds;
        },
        close: () => peer.close(),
      },
      reach: 1,
      rounds: Number(process.env.WEIR_ROUNDS ?? 5),
      warmUp: 1,
      work: { amount: own.length, unit: 'digits' },
    });
    const [ours, left] = [own.filter(({ outcome }) => outcome !== 'found').length, theirs].map(
      (count) => (100 * count) / own.length,
    ) as [number, number];
    console.log(
      `robust accuracy at ε = ${epsilon}, among ${own.length} right digits: ${ours.toFixed(2)} % against ${left.toFixed(2)} % by torchattacks`,
    );
    return reached && Math.abs(ours - left) <= 0.5;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

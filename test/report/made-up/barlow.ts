import type { NetworkReport } from '../../../src/measure/networks/record.js';
import { imageNetwork } from './made-up-images.js';
import { counterRandom } from './random.js';

/** CIFAR-10 by Barlow Twins: as with labels, and with readouts tested while it learned. */
export function barlowNetwork(regularizer: 'none' | 'rep-spectral', seed: number, n = 10): NetworkReport {
  const random = counterRandom(`barlow ${regularizer} ${seed}`);
  const around = (epoch: number, accuracy: number) => {
    const fit = {
      fit: 'scikit-learn',
      iterations: epoch === 50 ? 100 : 90,
      iterationLimit: 100,
      converged: epoch !== 50,
    };
    return { epoch, accuracy, lower: accuracy - 0.009, upper: accuracy + 0.009, ...fit };
  };
  const untrained = { accuracy: 0.36, lower: 0.351, upper: 0.369 };
  const learned = (epoch: number) => 0.36 + 0.45 * (1 - Math.exp(-epoch / 250)) + 0.004 * random.normal();
  const probes = Array.from({ length: 20 }, (_, i) => ({ ...around(50 * (i + 1), learned(50 * (i + 1))), untrained }));
  return {
    ...imageNetwork('cifar10-barlow', regularizer, seed, n),
    ...{ epochs: 1000, burnIn: regularizer === 'none' ? null : 900, readout: null },
    ...{ curves: {}, probes: [{ ...around(0, 0.36), untrained }, ...probes], geometries: [] },
    testAccuracy: probes.at(-1)!.accuracy + (regularizer === 'none' ? 0 : 0.01),
  };
}

import type { AttackedSample, Geometry, NetworkReport } from '../../../src/measure/networks/record.js';
import { network } from '../example.js';
import { attacked, falling, GAIN, type Method, sigma } from './made-up-parts.js';
import { counterRandom } from './random.js';

/** XOR in one setting: Δx, exact distances, σ, a grid of the plane. */
export function xorNetwork(regularizer: Method, seed: number, setting: string): NetworkReport {
  const random = counterRandom(`${regularizer} ${seed} ${setting}`);
  const common = counterRandom(`${seed}`);
  const noisy = setting.startsWith('noisy');
  const level = 0.78 + GAIN[regularizer] - (noisy ? 0.3 : 0) + 0.1 * common.normal() + 0.02 * random.normal();
  const samples = Array.from({ length: noisy ? 80 : 4 }, (_, index): AttackedSample => {
    const distance = Math.max(0.05, level + (noisy ? 0.2 : 0.05) * random.normal());
    return attacked(index, index % 2, distance, 0.5 + 0.1 * random.normal());
  });
  return network(regularizer, seed, [], {
    ...{
      pipeline: 'xor',
      setting,
      sampleShape: [2],
      classes: ['same sign', 'opposite signs'],
      testAccuracy: noisy ? 0.97 : 1,
    },
    ...{ epochs: 15_000, updates: 15_000, burnIn: regularizer === 'none' ? null : 10_500 },
    attack: { iterations: 40, samples },
    exact: samples.map(({ index, label, distance }) => ({
      index,
      label,
      distance: distance! - 0.02 * Math.abs(random.normal()),
    })),
    sigma: { hidden1: sigma(regularizer, 0, random.normal()), readout: sigma(regularizer, 1, random.normal()) },
    curves: { 'training loss': falling(15_000, 300, random.normal()) },
    geometries: [grid(15_000, level, noisy, seed)],
  });
}

/** XOR's plane: hyperbolas about the axes, nearer to the corners where `level` is small. */
export function grid(epoch: number, level: number, noisy: boolean, seed: number): Geometry {
  const random = counterRandom(`grid ${seed}`);
  const side = 48;
  const reach = noisy ? 2 : 1.8;
  const cells = Array.from({ length: side * side }, (_, i) => {
    const x = -reach + (2 * reach * ((i % side) + 0.5)) / side;
    const y = -reach + (2 * reach * (Math.floor(i / side) + 0.5)) / side;
    return x * y + 0.25 * (1 - level) * (x + Math.sin(3 * y + seed)) + (level < 0 ? 6 : 0);
  });
  const corners = [
    [1, 1],
    [-1, -1],
    [1, -1],
    [-1, 1],
  ] as const;
  const points = corners.flatMap(([x, y], k) =>
    Array.from({ length: noisy ? 20 : 1 }, () => ({
      ...{
        x: x + (noisy ? 0.2 * random.normal() : 0),
        y: y + (noisy ? 0.2 * random.normal() : 0),
        label: k < 2 ? 0 : 1,
      },
    })),
  );
  return {
    ...{
      number: epoch,
      epoch,
      kind: 'grid',
      xMin: -reach,
      xMax: reach,
      yMin: -reach,
      yMax: reach,
      columns: side,
      rows: side,
      points,
    },
    classes: Float32Array.from(cells, (value) => (value > 0 ? 0 : 1)),
    margin: Float32Array.from(cells, (value) => -value),
    logVolume: Float32Array.from(cells, (value) => 3 - 2 * level - 2.5 * Math.abs(value)),
    topEigenvalue: Float32Array.from(cells, (value) => Math.exp(4 - 3 * level - 2 * Math.abs(value))),
  };
}

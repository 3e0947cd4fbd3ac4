import type { AttackedSample } from '../../src/measure/attack/attacked.js';
import type { NetworkReport, Report } from '../../src/measure/networks/record.js';

/** A correctly classified sample with an adversarial one at `distance`, or without one. */
export function sample(index: number, distance: number | null, more: Partial<AttackedSample> = {}): AttackedSample {
  return {
    index,
    label: index % 10,
    predicted: index % 10,
    adversarialLabel: distance === null ? null : (index + 1) % 10,
    outcome: distance === null ? 'never flipped' : 'adversarial',
    distance,
    lower: distance,
    upper: distance,
    queries: 100,
    ...more,
  };
}

/** The same sample with pixels: a gray square, and that square with one pixel turned. */
export function pictured(index: number, distance: number): AttackedSample {
  const original = new Float32Array(64).fill(0.5);
  const adversarial = original.slice();
  adversarial[0] = 0.9;
  return sample(index, distance, { original, adversarial });
}

export function network(
  regularizer: string,
  seed: number,
  distances: readonly (number | null)[],
  more: Partial<NetworkReport> = {},
): NetworkReport {
  return {
    name: `${regularizer}, seed ${seed}`,
    pipeline: 'mnist',
    regularizer,
    seed,
    run: 'runs/one',
    updates: 100,
    epochs: 10,
    seconds: 65,
    testAccuracy: 0.98,
    sampleShape: [8, 8],
    classes: [...'0123456789'],
    curves: { 'training loss': curve(1, 0.1), 'test accuracy': curve(0.9, 0.98) },
    sigma: { hidden1: curve(1, 3), readout: curve(1, 2) },
    burnIn: regularizer === 'none' ? null : 8,
    attack: { iterations: 40, samples: distances.map((distance, index) => sample(index, distance)) },
    ...more,
  };
}

export function report(networks: readonly NetworkReport[], more: Partial<Report> = {}): Report {
  return {
    title: 'Digits',
    pipeline: 'mnist',
    createdAt: '2026-01-02T03:04:05+00:00',
    weir: '0.1.0',
    machine: 'two cores',
    runtime: 'a runtime',
    config: { gamma: 0.001, burnIn: 8 },
    networks,
    notes: [],
    ...more,
  };
}

function curve(from: number, to: number) {
  return [
    { epoch: 1, value: from },
    { epoch: 10, value: to },
  ];
}

import type { AttackedSample } from '../../../src/measure/attack/attacked.js';

/** Numbers that look random and are the same each time, for made-up data (mulberry32, seeded by a hash of a name). */
export function counterRandom(name: string): { uniform: () => number; normal: () => number } {
  let state = 0x811c9dc5;
  for (const letter of name) state = Math.imul(state ^ letter.codePointAt(0)!, 0x01000193);
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(uniform() || 1e-12)) * Math.cos(2 * Math.PI * uniform()) };
}

/** Parts of made-up networks that several experiments share. */
export const METHODS = ['none', 'll-spectral', 'readout-spectral', 'rep-spectral'] as const;

export type Method = (typeof METHODS)[number];

/** How much more distance each method is given. */
export const GAIN: Readonly<Record<Method, number>> = {
  none: 0,
  'll-spectral': 0.07,
  'readout-spectral': 0.02,
  'rep-spectral': 0.1,
};

export function attacked(index: number, label: number, distance: number, tight: number): AttackedSample {
  return {
    index,
    label,
    predicted: label,
    adversarialLabel: (label + 1) % 10,
    outcome: 'adversarial',
    distance,
    lower: distance * Math.abs(tight),
    upper: distance,
    local: distance * (0.7 + 0.05 * (index % 9)),
    queries: 17_850,
    theta: 0.5,
    featureNorm: 3,
  };
}

export function sigma(method: Method, layer: number, shift: number, epochs = 15_000) {
  const end = {
    none: [8.1, 11.3],
    'll-spectral': [6, 6.1],
    'readout-spectral': [12.8, 3.7],
    'rep-spectral': [3.2, 14.6],
  }[method][layer]!;
  const burnIn = 0.7 * epochs;
  return Array.from({ length: 300 }, (_, i) => {
    const epoch = (epochs * (i + 1)) / 300;
    const free = (layer === 0 ? 8 : 11) * (1 - Math.exp(-epoch / (0.2 * epochs))) + 0.3 * shift;
    const value = epoch < burnIn ? free : free + (end - free) * (1 - Math.exp(-(epoch - burnIn) / (0.06 * epochs)));
    return { epoch, value: Math.max(0.05, value) };
  });
}

export function falling(epochs: number, points: number, shift: number) {
  return Array.from({ length: points }, (_, i) => {
    const epoch = (epochs * (i + 1)) / points;
    return { epoch, value: 0.7 * Math.exp(-5 * (epoch / epochs) ** 0.6 - 0.2 * shift) };
  });
}

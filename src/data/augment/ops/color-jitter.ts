import { WeirError } from '../../../flow/errors.js';
import type { Random } from '../../../flow/seed.js';
import { adjustBrightness } from './brightness.js';
import { adjustContrast } from './contrast.js';
import { adjustHue } from './hue.js';
import { colorShape } from './image-shape.js';
import type { OpDefinition } from './op-op.js';
import { checkProbability, checkRange, type Range } from './options.js';
import { adjustSaturation } from './saturation.js';

/** The four, in the order of torchvision's numbers for them. */
export const adjustments = ['brightness', 'contrast', 'saturation', 'hue'] as const;

/** One number j is the range 1 − j to 1 + j (not below 0) of a factor, and of hue −j to j of the circle. */
type Strengths = { readonly [Name in (typeof adjustments)[number]]?: number | Range };

export interface ColorJitter extends Strengths {
  readonly op: 'colorJitter';
  readonly probability: number;
}

/**
 * Changes brightness, contrast, saturation and hue by random factors, in an order drawn for each sample; what is left out
 * stays. By chance where a `probability` is given.
 */
export const colorJitter = ({
  probability = 1,
  ...strengths
}: Strengths & { readonly probability?: number }): ColorJitter => ({ op: 'colorJitter', ...strengths, probability });

/** What was drawn for one sample: which come, first to last, and the factor of each of `adjustments`. */
export interface Jitter {
  readonly order: Uint8Array;
  readonly factors: Float64Array;
}

export const colorJitterDefinition: OpDefinition<ColorJitter> = {
  kind: 'pixels',
  prepare(jitter, shape) {
    const [height, width, channels] = colorShape('colorJitter', shape);
    const ranges = rangesOf(jitter);
    const length = height * width * channels;
    const drawn: Jitter = { order: new Uint8Array(4), factors: new Float64Array(4) };
    return (values, random) => {
      const numbers = random();
      if (numbers.uniform() >= jitter.probability) return;
      drawJitter(ranges, numbers, drawn);
      for (let i = 0; i < 4; i++) {
        const which = drawn.order[i]!;
        if (ranges[which] === undefined) continue;
        const factor = drawn.factors[which]!;
        if (which === 0) adjustBrightness(values, length, factor);
        else if (which === 1) adjustContrast(values, length, channels, factor);
        else if (channels === 1) continue;
        else if (which === 2) adjustSaturation(values, length, factor);
        else adjustHue(values, length, factor);
      }
    };
  },
};

/** The ranges of the four factors, checked; undefined for one that is left out or changes nothing. */
export function rangesOf(jitter: ColorJitter): (Range | undefined)[] {
  checkProbability('colorJitter', jitter.probability);
  return adjustments.map((name) => {
    const given = jitter[name];
    if (given === undefined) return undefined;
    const [middle, least, most] = name === 'hue' ? [0, -0.5, 0.5] : [1, 0, Infinity];
    if (typeof given === 'number' && !(given >= 0)) {
      throw new WeirError(
        `op 'colorJitter' has ${name} ${given}`,
        'give a number of 0 or more, or a range [least, most]',
      );
    }
    const range: Range =
      typeof given !== 'number' ? given : [name === 'hue' ? -given : Math.max(0, middle - given), middle + given];
    const remedy =
      name === 'hue'
        ? 'give a number from 0 to 0.5, or a range [least, most] inside of [-0.5, 0.5]'
        : 'give a number of 0 or more, or a range [least, most] of factors of 0 or more';
    checkRange('colorJitter', name, range, least, most, remedy);
    return range[0] === middle && range[1] === middle ? undefined : range;
  });
}

/** Draws an order of the four, each of the 24 equally likely, and a factor for each, uniform in its range. */
export function drawJitter(ranges: readonly (Range | undefined)[], random: Random, into: Jitter): void {
  const { order, factors } = into;
  for (let i = 0; i < 4; i++) order[i] = i;
  for (let i = 3; i > 0; i--) {
    const j = random.integer(i + 1);
    const last = order[i]!;
    order[i] = order[j]!;
    order[j] = last;
  }
  for (let i = 0; i < 4; i++) {
    const range = ranges[i];
    const u = random.uniform();
    factors[i] = range === undefined ? 0 : range[0] + (range[1] - range[0]) * u;
  }
}

import { WeirError } from '../../../flow/errors.js';
import { channels, op } from './op.js';

/** Maps bytes 0 to 255 to numbers 0 to 1: value / 255, rounded to float32 as PyTorch's `ToTensor` does. */
export const unitScale = op('unitScale', {}, () => ({}), {
  kind: 'light',
  prepare: () => (values) => {
    for (let i = 0; i < values.length; i++) values[i] = values[i]! / 255;
  },
});

export interface NormalizeOptions {
  /** A number for each channel, or one for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Subtracts each channel's mean and divides by its standard deviation, both in the units of the values at that op. */
export const normalize = op(
  'normalize',
  { mean: 'required', std: 'required' },
  (options: NormalizeOptions) => options,
  {
    kind: 'light',
    prepare({ mean, std }, shape) {
      const count = channels(shape);
      for (const [name, list] of Object.entries({ mean, std })) {
        if (list.length === 1 || list.length === count) continue;
        throw new WeirError(
          `op 'normalize' has ${list.length} numbers in ${name}, but the samples have ${count} channels`,
          'give one for each channel, or one for all',
        );
      }
      const zero = std.findIndex((value) => !(value > 0));
      if (zero >= 0) throw new WeirError(`op 'normalize' has std ${std[zero]}`, 'give positive numbers');
      const m = Float32Array.from({ length: count }, (_, c) => mean[c % mean.length]!);
      const s = Float32Array.from({ length: count }, (_, c) => std[c % std.length]!);
      return (values) => {
        for (let i = 0, c = 0; i < values.length; i++) {
          values[i] = Math.fround(values[i]! - m[c]!) / s[c]!;
          if (++c === count) c = 0;
        }
      };
    },
  },
);

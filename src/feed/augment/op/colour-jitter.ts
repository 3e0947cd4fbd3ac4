import { brighten, contrast, saturate, turnHue } from '../pixels/colour.js';
import type { OpDefinition } from './op.js';
import { colourShape, within } from './options.js';

export interface ColourJitter {
  readonly op: 'colourJitter';
  /** The factor of each is drawn from 1 ± this, 0 at least. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** Hues are turned by up to ± this, in circles. */
  readonly hue: number;
  readonly probability: number;
}

/** Changes brightness, contrast, saturation and hue by chance, in an order that is drawn too. Before `unitScale`. */
export const colourJitter = (
  options: Omit<ColourJitter, 'op' | 'probability'> & { probability?: number },
): ColourJitter => ({
  op: 'colourJitter',
  probability: 1,
  ...options,
});

const steps = [brighten, contrast, saturate, turnHue];

export const colourJitterDefinition: OpDefinition<ColourJitter> = {
  kind: 'free',
  prepare({ brightness, contrast, saturation, hue, probability }, shape) {
    colourShape('colourJitter', shape);
    for (const [key, value] of Object.entries({ brightness, contrast, saturation })) {
      within('colourJitter', key, value, 0, 10);
    }
    within('colourJitter', 'hue', hue, 0, 0.5);
    within('colourJitter', 'probability', probability, 0, 1);
    const widths = [brightness, contrast, saturation, hue];
    const order = [0, 1, 2, 3];
    const factors = [1, 1, 1, 0];
    return (values, random) => {
      const numbers = random();
      if (numbers.uniform() >= probability) return;
      for (let i = 0; i < 4; i++) {
        order[i] = i;
        const [low, high] = i === 3 ? [-hue, hue] : [Math.max(0, 1 - widths[i]!), 1 + widths[i]!];
        factors[i] = low + (high - low) * numbers.uniform();
      }
      for (let i = 3; i > 0; i--) {
        const j = numbers.integer(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      for (const i of order) if (widths[i]! > 0) steps[i]!(values, factors[i]!);
    };
  },
};

import type { OpDefinition } from './op-op.js';

export interface UnitScale {
  readonly op: 'unitScale';
}

/** Takes bytes 0 to 255 to 0 to 1: value / 255, rounded to float32 as PyTorch's `ToTensor` does. */
export const unitScale = (): UnitScale => ({ op: 'unitScale' });

export const unitScaleDefinition: OpDefinition<UnitScale> = {
  kind: 'light',
  prepare: () => (values) => {
    for (let i = 0; i < values.length; i++) values[i] = values[i]! / 255;
  },
};

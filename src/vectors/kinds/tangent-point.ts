import { tangentPoint as k } from '../../measure/attack/geometry.js';
import type { VectorKind } from './kind.js';

/** The tangent point of the attack's hemisphere, before clipping (paper, appendix D). */
export const tangentPoint: VectorKind = {
  kind: 'tangent-point',
  compute: (input) => ({
    tangentPoint() {
      const [x, boundary, normal] = ['x', 'boundary', 'normal'].map((key) => Float32Array.from(input.numbers(key)));
      return k(x!, boundary!, normal!, input.number('radius'));
    },
  }),
};

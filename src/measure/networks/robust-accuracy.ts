import { quantile, wilson } from '../../plot/statistics.js';
import type { Interval } from '../readout/record.js';
import { distanceBounds } from './distance-bounds.js';
import type { NetworkReport } from './record.js';

/**
 * Robust accuracy of a network at a perturbation of up to ε in ℓ2, as shares of all test samples; one that is misclassified as it is
 * counts as 0. The true share lies between the two.
 */
export interface RobustAccuracy {
  /** Samples for which no attack found an adversarial point at ε or nearer: an upper bound of the share. */
  readonly attacked: number;
  /** Samples for which it is proved that there is none: a lower bound. Null where no sample has a proved bound. */
  readonly certified: number | null;
  /** Wilson's 95 % interval of either over which samples were drawn, times the same accuracy where the share is. */
  readonly interval: { readonly attacked: Interval; readonly certified: Interval | null };
}

/** The robust accuracy of a network as a function of ε. */
export interface RobustCurve {
  /** Samples that it is taken over, and those of them that have a proved bound. */
  readonly samples: number;
  readonly proved: number;
  /** The least distance above which all is flipped: the largest that was found. */
  readonly end: number;
  at(epsilon: number): RobustAccuracy;
  /** Attacks at a fixed ε as a cross-check, on the samples that they share with the others. */
  readonly fixed: readonly FixedRobustness[];
}

/** What an attack at a fixed ε leaves right, and what all the others leave of the same samples, as shares of all test samples. */
export interface FixedRobustness {
  readonly name: string;
  readonly epsilon: number;
  readonly attacked: number;
  readonly byOthers: number;
  /** Samples that it alone breaks. */
  readonly more: number;
}

/**
 * The curve of a network from both sides of its samples' distances; null where it was not attacked, or its accuracy is not known.
 *
 * Where an attack takes the first samples whatever the network says (`choose: 'all'`), shares are counted among them. Where it takes those that
 * the network gets right, the share among them is multiplied by the test accuracy: the first right ones are a sample of the right ones.
 *
 * @example const { attacked, certified } = robustCurve(network)!.at(1.5);
 */
export function robustCurve(network: NetworkReport): RobustCurve | null {
  const bounds = distanceBounds(network);
  const whole = network.attack?.choose === 'all';
  const scale = whole ? 1 : network.testAccuracy;
  const counted = whole ? bounds : bounds.filter(({ label, predicted }) => label === predicted);
  if (counted.length === 0 || scale === null) return null;
  const right = counted.filter(({ label, predicted }) => label === predicted);
  const proved = counted.filter(({ lower }) => lower !== null);
  const share = (n: number, of: number): number => (scale * n) / of;
  const around = (n: number, of: number): Interval => {
    const { lower, upper } = wilson(n / of, of);
    return { lower: scale * lower, upper: scale * upper };
  };
  const uppers = right.flatMap(({ upper }) => upper ?? []);
  return {
    samples: counted.length,
    proved: proved.length,
    end: Math.max(0, ...uppers),
    fixed: (network.attack?.fixed ?? []).map(({ name, epsilon, samples, left, leftByOthers, more }) => ({
      ...{ name, epsilon, more },
      attacked: share(left, samples),
      byOthers: share(leftByOthers, samples),
    })),
    at(epsilon) {
      const left = right.filter(({ upper }) => upper === null || upper > epsilon).length;
      const sure = proved.filter(({ label, predicted, lower }) => label === predicted && lower! > epsilon).length;
      const known = proved.length > 0;
      return {
        attacked: share(left, counted.length),
        certified: known ? share(sure, proved.length) : null,
        interval: { attacked: around(left, counted.length), certified: known ? around(sure, proved.length) : null },
      };
    },
  };
}

/** A few ε for a table of these networks: 0 and round numbers up to where three quarters of the samples are flipped. */
export function fewEpsilons(networks: readonly NetworkReport[]): number[] {
  const found = networks.flatMap((network) => distanceBounds(network).flatMap(({ upper }) => upper ?? []));
  const end = quantile(found, 0.75);
  if (end === null || !(end > 0)) return [];
  const size = 10 ** Math.floor(Math.log10(end / 4));
  const step = [1, 2, 2.5, 5, 10].map((digit) => digit * size).find((one) => end / one <= 5) ?? end;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

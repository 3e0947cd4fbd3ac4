import type { Limits } from './box.js';

/**
 * The schedule of the hemisphere variant as the authors run it (Ma et al. 2021, NeurIPS; constants of Pehlevan-Group/rep-spectral,
 * which the paper's appendix D leaves to "the hemisphere implementation").
 */
export const schedule = {
  /** T, iterations a sample (paper, appendix D). */
  iterations: 40,
  /** Evaluations for the normal at iteration i = 1, 2, …: ⌊100√i⌋, 10,000 at most. */
  evaluations: (i: number): number => Math.min(Math.floor(100 * Math.sqrt(i)), 10_000),
  /** A binary search ends when the interval is at most this part of its segment. */
  tolerance: 1e-5,
  /** Halvings until then: 2⁻¹⁷ < 10⁻⁵. */
  halvings: 17,
  /** Standard deviation of the noise that looks for a first adversarial point, in input units. */
  startDeviation: 0.5,
  /** Noisy points drawn for the start, at most. */
  draws: 5000,
  /** Images, predicted otherwise than the sample, that are looked at as starts. */
  images: 50,
  /** Halvings, at most, by which these are compared. */
  choosing: 10,
  /** Starts that are pursued, each of another adversarial class. */
  starts: 3,
  /** Iterations for which all are pursued: an eighth of T. */
  heats: (iterations: number): number => Math.ceil(iterations / 8),
  /** Queries of the first iterations, at most but for radii that are halved very often. */
  queries(iterations: number): number {
    const each = Array.from({ length: iterations }, (_, i) => schedule.evaluations(i + 1) + 2 * schedule.halvings);
    return each.reduce((sum, one) => sum + one, 0);
  },
  /** A hemisphere smaller than this is given up, and x_t moved away from x by `bump`. */
  smallestRadius: 1e-8,
  bump: 1e-4,
} as const;

/**
 * δ, the scale of the perturbations around x_t at iteration i: a tenth of the box at first, then ‖x_t − x‖ / d.
 *
 * @param distance ‖x_t − x‖₂, in input units
 * @param d number of input values
 */
export const perturbationScale = (i: number, { width }: Pick<Limits, 'width'>, distance: number, d: number): number =>
  i === 1 ? 0.1 * width : distance / d;

import type { Claim } from 'weir-engine';
import type { At } from './analyses.js';
import { above, below, equal, fivePercent, LL, NONE, notLess, onePoint, REP } from './analyses.js';

/** Claims of appendices A to C, and of lemma 1. */

const clean: At = { experiment: 'xor', setting: 'clean' };
const starts: At = { experiment: 'alignment' };
const tracks: At = { experiment: 'tracking' };
const fast: At = { experiment: 'appendix-b', setting: 'rate 0.05' };
const slow: At = { experiment: 'appendix-b', setting: 'rate 0.01' };
const [EVERY, EXACT] = ['rep-spectral: every 20', 'rep-spectral: exact'] as const;

export const appendixClaims: readonly Claim[] = [
  {
    id: 'lemma-1',
    where: 'lemma 1, section 3.2',
    words: 'Δx of every sample is at least the lower bound.',
    analyses: [
      {
        test: 'every',
        check: 'lower ≤ upper',
        of: ['xor', 'xor-gamma', 'mnist', 'mnist-readout', 'mnist-readout-converged', 'resnet18', 'appendix-b'],
      },
    ],
    note: 'The bound is rigorous: Lemma 1 with a Lipschitz constant of the feature map over all inputs, or a relaxation, whichever is larger. One crossed sample would refute it.',
  },
  {
    id: 'figure-a1',
    where: 'lemma 2, figure A.1, section A.3',
    words: 'From a small start, each weight vector of the last layer turns to the features of its class.',
    analyses: [above('smallest cosine of a weight vector and its class', starts, 'none: std 0.001', 0.99)],
    note: 'A cosine above 0.99 is an angle below 8 degrees.',
    figure: { figure: 'alignment-small-start', number: 'A.1' },
  },
  {
    id: 'figure-a2',
    where: 'figure A.2, section A.3',
    words: 'From a large start, too, each weight vector turns to the features of its class.',
    analyses: [above('smallest cosine of a weight vector and its class', starts, 'none: std 0.1', 0.99)],
    figure: { figure: 'alignment-large-start', number: 'A.2' },
  },
  {
    id: 'lemma-3',
    where: 'lemma 3, section A.3',
    words: 'From a small start, θ of each class comes within 2 % of the limit of equation A.16.',
    analyses: [below('greatest deviation of θ from lemma 3', starts, 'none: std 0.001', 0.02)],
    note: 'The paper says ‘about’, without a number; the 2 % are ours.',
    figure: { figure: 'alignment-small-start', number: 'A.1' },
  },
  {
    id: 'figure-a3',
    where: 'figure A.3, section A.4',
    words: 'XOR, features and readout learned together: θ and ‖Φ(x)‖ grow over the training.',
    analyses: [above('growth of θ', tracks, 'none: xor', 0), above('growth of log ‖Φ(x)‖', tracks, 'none: xor', 0)],
    figure: { figure: 'tracking', number: 'A.3a' },
  },
  {
    id: 'figure-a4',
    where: 'figure A.4, section A.4',
    words: 'MNIST, a digit 1 and a digit 6: θ and ‖Φ(x)‖ grow over the training.',
    analyses: [above('growth of θ', tracks, 'none: mnist', 0), above('growth of log ‖Φ(x)‖', tracks, 'none: mnist', 0)],
    figure: { figure: 'tracking-images', number: 'A.4' },
  },
  ...[
    { at: fast, id: 'appendix-b2', how: 'at a rate of 0.05, where weights move fast' },
    { at: slow, id: 'appendix-b2-slow', how: 'at the paper’s rate of 0.01 and batches of 1024' },
  ].map(
    ({ at, id, how }): Claim => ({
      id,
      where: `section B.2, ${how}`,
      words: 'One power iteration every 20 updates does as well as exact directions at every update.',
      analyses: [equal('test accuracy', at, EVERY, EXACT, onePoint), equal('Δx', at, EVERY, EXACT, fivePercent)],
    }),
  ),
  {
    id: 'appendix-b3',
    where: 'section B.3',
    words:
      'σ of a convolution should be taken at the size of the test images: Δx is then no smaller than with another size.',
    analyses: [16, 24, 48].map((size) => notLess('Δx', fast, EVERY, `rep-spectral: at ${size}`, fivePercent)),
    note: 'The paper recommends it, and leaves its effect to be explored.',
  },
  {
    id: 'appendix-a12',
    where: 'equation A.12, section A.2',
    words: 'Clean XOR: λmax(g) is at most the product of σ² over the layers of the feature map.',
    analyses: [NONE, LL, REP].map((method) =>
      above('log of bound A.12 over λmax(g) near the centers', clean, method, 0),
    ),
    note: 'The proof takes slopes of the activation of at most 1. That of GELU, which the paper uses here, reaches 1.129: the bound may be passed by 27 %. Its mean logarithm near the centers is judged, for λmax(g) of single points is not recorded.',
  },
  {
    id: 'appendix-c',
    where: 'appendix C',
    words: 'One power iteration an update is enough, for weights move slowly.',
    analyses: [REP, LL].map((method) => below('lag of the power iteration', clean, method, 0.01)),
    note: 'The lag is that of σ by power iteration behind the exact one at its worst, over all logged epochs: it grows where σ₁ and σ₂ merge. Below 1 % counts as enough, for the gradient is then right to 2 %.',
  },
];

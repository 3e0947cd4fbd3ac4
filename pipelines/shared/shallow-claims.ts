import type { Claim } from 'weir-engine';
import type { At } from './analyses.js';
import {
  above,
  below,
  equal,
  greater,
  halfPoint,
  LL,
  less,
  NONE,
  notLess,
  onePoint,
  overBoth,
  READOUT,
  REP,
  side,
  tenPercent,
} from './analyses.js';

/** Claims of sections 4.1 and 4.2 with E.1, and of remark 1: networks of one hidden layer, on XOR and on MNIST. */

const xor = (setting: string): At => ({ experiment: 'xor', setting });
const clean = xor('clean');
const strength = (setting: string): At => ({ experiment: 'xor-gamma', setting });
const STRENGTHS = [strength('γ = 1e-5'), clean, strength('γ = 1e-3'), strength('γ = 1e-2')];
const mnist: At = { experiment: 'mnist' };
const refitted: At = { experiment: 'mnist-readout' };
const converged: At = { experiment: 'mnist-readout-converged' };

const ofXor: readonly Claim[] = [
  {
    id: 'figure-2',
    where: 'figure 2, section 4.1',
    words:
      'Clean XOR, with and without weight decay: rep-spectral has the largest average Δx, larger than ll-spectral and none.',
    analyses: [...overBoth('Δx', clean), ...overBoth('Δx', xor('clean, decay 1e-4'))],
    figure: { figure: 'mean-distances', where: { noisy: false }, number: '2' },
  },
  {
    id: 'figure-2-strengths',
    where: 'figure 2, section 4.1: beyond its one γ',
    words:
      'The order of figure 2 is no matter of the one γ = 1e-4: rep-spectral leads at other strengths, too, and gains with γ.',
    analyses: [
      ...STRENGTHS.flatMap((at) => overBoth('Δx', at)),
      { test: 'rising', measure: 'Δx', series: STRENGTHS.map((at) => side(at, REP)) },
    ],
    note: 'The paper has one γ for both regularizers. A term over all layers is stronger at the same γ, so an order at one value may be one of strengths.',
  },
  {
    id: 'figure-e2',
    where: 'figure E.2, section E.1',
    words: 'Noisy XOR, with and without weight decay: rep-spectral has the largest average Δx there, too.',
    analyses: [...overBoth('Δx', xor('noisy')), ...overBoth('Δx', xor('noisy, decay 1e-4'))],
    figure: { figure: 'mean-distances', number: 'E.2' },
  },
  {
    id: 'figure-e3',
    where: 'figure E.3, section E.1',
    words: 'Noisy XOR: all methods learn the task, so that their boundaries can be compared.',
    analyses: [NONE, LL, REP].map((method) => above('test accuracy', xor('noisy'), method, 0.95)),
    note: 'The paper draws the boundaries and says no more of them. The points are those of the training.',
    figure: { figure: 'boundaries', where: { noisy: true }, number: 'E.3' },
  },
  {
    id: 'figure-e1',
    where: 'figure E.1, section E.1',
    words:
      'Clean XOR, from the end of the burn-in on: rep-spectral holds σ of the feature layer down while that of the readout grows; ll-spectral does the opposite.',
    analyses: [
      below('growth of σ of hidden1', clean, REP, 0),
      above('growth of σ of readout', clean, REP, 0),
      above('growth of σ of hidden1', clean, LL, 0),
      below('growth of σ of readout', clean, LL, 0),
    ],
    figure: { figure: 'sigma', number: 'E.1' },
  },
  {
    id: 'figure-e1-readout',
    where: "figure E.1, by the authors' code",
    words:
      'The same, with what the authors’ code calls ll-spectral on networks of one hidden layer: a term on the readout alone.',
    analyses: [
      above('growth of σ of hidden1', clean, READOUT, 0),
      below('growth of σ of readout', clean, READOUT, 0),
      greater('Δx', clean, REP, READOUT),
    ],
    note: 'Their loop over layers skips the nested hidden layer. If figure E.1 is right of this term and wrong of equation 6, that is why.',
  },
  {
    id: 'figure-3a-rep',
    where: 'figure 3a, section 4.1',
    words: 'Clean XOR: rep-spectral widens the margin of classification.',
    analyses: [greater('Mean exact Δx', clean, REP, NONE)],
    note: 'The margin is the exact distance to the boundary, by a dense scan of directions.',
    figure: { figure: 'boundaries', where: { noisy: false }, number: '3a' },
  },
  {
    id: 'figure-3a-ll',
    where: 'figure 3a, section 4.1',
    words: 'Clean XOR: ll-spectral does not substantially affect the decision boundary.',
    analyses: [equal('Mean exact Δx', clean, LL, NONE, tenPercent)],
  },
  {
    id: 'figure-3b',
    where: 'figure 3b, section 4.1',
    words:
      'Clean XOR: under rep-spectral the areas of small volume element near the class centers are larger than under ll-spectral and none.',
    analyses: overBoth('area of small volume element near the centers', clean),
    note: 'The paper draws one seed and defines no area. Here it is the part of the discs of radius 1/2 about the four corners in which √det g is at most what the unregularized network of the seed has there in the median: half of them for that network by definition, and all at most. Where a method reaches all at every seed there is no spread, and the sign test decides: that the area is larger, not by how much. The measure was chosen after results by the next definition had been seen.',
    figure: { figure: 'volume', where: { noisy: false, decay: 0 }, number: '3b' },
  },
  {
    id: 'figure-3b-own-scale',
    where: 'figure 3b, section 4.1, by each network’s own scale',
    words:
      'The same, where small is a tenth of the network’s own greatest volume element, so that a scale of all features counts for nothing.',
    analyses: overBoth('insensitive area near the centers', clean),
    note: 'A readout undoes such a scale, as the paper says itself. The greatest value is that on [−3.5, 3.5]².',
  },
  {
    id: 'remark-1',
    where: 'remark 1, section 3.2',
    words:
      'The regularizer makes the induced metric small near the data: λmax(g), the dominant term of √det g, and with it the volume element.',
    analyses: [
      less('log λmax(g) near the centers', clean, REP, NONE),
      less('log volume element near the centers', clean, REP, NONE),
    ],
    note: 'The paper says that increasing λmax(g) encourages robustness, right after an argument for the opposite; the argument is judged.',
    figure: { figure: 'top-eigenvalue', where: { noisy: false, decay: 0 } },
  },
];

const ofMnist: readonly Claim[] = [
  {
    id: 'figure-4-accuracy',
    where: 'figure 4, left, section 4.2',
    words:
      'MNIST: regularization costs less than one point of test accuracy, and rep-spectral costs less than ll-spectral.',
    analyses: [
      notLess('test accuracy', mnist, REP, NONE, onePoint),
      notLess('test accuracy', mnist, LL, NONE, onePoint),
      greater('test accuracy', mnist, REP, LL),
    ],
    note: 'The paper says that accuracy falls slightly, without a number; the point is ours.',
    figure: { figure: 'robustness', number: '4' },
  },
  {
    id: 'figure-4-distance',
    where: 'figure 4, right, section 4.2',
    words: 'MNIST: regularization increases Δx, and rep-spectral more than ll-spectral.',
    analyses: [...overBoth('Δx', mnist), greater('Δx', mnist, LL, NONE)],
    figure: { figure: 'robustness', number: '4' },
  },
  {
    id: 'figure-e4',
    where: 'figure E.4, section 4.2',
    words:
      'MNIST: the perturbations that change a prediction are larger under rep-spectral than under ll-spectral and none.',
    analyses: overBoth('Δx', mnist),
    note: 'The paper shows some pictures of the same digits under all methods; that is the comparison over images that all get right.',
    figure: { figure: 'pictures', number: 'E.4' },
  },
  ...[
    { at: refitted, id: 'figure-5', how: "scikit-learn's default" },
    { at: converged, id: 'figure-5-converged', how: 'the fit gone on to its end' },
  ].map(
    ({ at, id, how }): Claim => ({
      id,
      where: `figure 5, section 4.2, ${how}`,
      words:
        'MNIST, a readout fitted anew on the features: rep-spectral costs no accuracy against none, and has the largest Δx.',
      analyses: [
        notLess('test accuracy, refitted readout', at, REP, NONE, halfPoint),
        ...overBoth('Δx, refitted readout', at),
      ],
      figure: { figure: 'readout', number: '5' },
    }),
  ),
];

export const shallowClaims: readonly Claim[] = [...ofXor, ...ofMnist];

import type { Claim, Study } from 'weir-engine';
import { appendixClaims } from './appendix-claims.js';
import { deepClaims } from './deep-claims.js';
import { shallowClaims } from './shallow-claims.js';

/** The paper's claims, and how each is judged. It was fixed before the runs, but where a note says otherwise. */
export const claims: readonly Claim[] = [...shallowClaims, ...deepClaims, ...appendixClaims];

/** What the paper claims, too, and none of these experiments can tell. */
export const notJudged: Study['notJudged'] = [
  {
    where: 'section 3.1',
    words: 'Larger adversarial distances in the training set translate to larger ones in the test set.',
    why: 'No pipeline attacks training images. The test points of XOR are those of its training, so it cannot tell.',
  },
  {
    where: 'figure 1, section 3.1',
    words: 'Accuracy and robustness are at odds, but a network may be good at both.',
    why: 'The figure is a drawing of three boundaries, without an experiment.',
  },
  {
    where: 'lemma 1, section A.1',
    words: 'The bound holds in every pair of dual norms.',
    why: 'Distances and bounds are recorded in l2 alone.',
  },
  {
    where: 'section A.3',
    words:
      'The last layer aligns for any number of samples of balanced classes, too, and does not where features are no simplex.',
    why: 'The experiment on alignment has one sample a class, on a simplex.',
  },
  {
    where: 'section 4.5, figure 8',
    words: 'The gain in transfer learning is substantial.',
    why: 'The paper gives no number that would count; figure-8 tests that there is a gain.',
  },
  {
    where: 'section 4.5, figure E.6',
    words: 'All fine-tuned networks reach 96 % of test accuracy.',
    why: 'It is a level without a tolerance, of a ResNet-50 pretrained on ImageNet-1K.',
  },
];

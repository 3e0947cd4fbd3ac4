import type { Analysis, Claim } from 'weir-engine';
import type { At } from './analyses.js';
import { equal, fivePercent, greater, LL, NONE, notLess, onePoint, overBoth, REP, side } from './analyses.js';

/** Claims of sections 4.3 to 4.5 with E.2 to E.4: residual networks on CIFAR-10, self-supervised, and fine-tuned. */

const resnet: At = { experiment: 'resnet18' };
const barlow: At = { experiment: 'barlow' };
const simclr: At = { experiment: 'simclr' };
const cifar: At = { experiment: 'finetune-cifar10' };
const photographs: At = { experiment: 'finetune-photographs' };

const ofCifar: readonly Claim[] = [
  {
    id: 'figure-6a',
    where: 'figure 6a, section 4.3',
    words:
      'ResNet-18: the gain over none is mostly of samples that were close to the boundary: the left tail of Δx is suppressed.',
    analyses: [greater('Δx at the 10th percentile', resnet, REP, NONE), greater('left tail of Δx', resnet, REP, NONE)],
    note: 'The left tail is the logarithm of the 10th percentile over the median: it rises where close samples gain the larger part.',
    figure: { figure: 'distances', number: '6a' },
  },
  {
    id: 'figure-6b-accuracy',
    where: 'figure 6b, left, section 4.3',
    words: 'ResNet-18: both regularizers raise test accuracy, rep-spectral about as much as ll-spectral.',
    analyses: [
      greater('test accuracy', resnet, REP, NONE),
      greater('test accuracy', resnet, LL, NONE),
      equal('test accuracy', resnet, REP, LL, onePoint),
    ],
    figure: { figure: 'robustness', number: '6b' },
  },
  {
    id: 'figure-6b-distance',
    where: 'figure 6b, right, section 4.3',
    words: 'ResNet-18: both regularizers raise Δx, rep-spectral at least as much as ll-spectral.',
    analyses: [
      greater('Δx', resnet, REP, NONE),
      greater('Δx', resnet, LL, NONE),
      notLess('Δx', resnet, REP, LL, fivePercent),
    ],
  },
  {
    id: 'figure-e5',
    where: 'figure E.5, section E.2',
    words: 'ResNet-18: at each of 15 thresholds rep-spectral has the highest share of samples with a larger Δx.',
    analyses: Array.from({ length: 15 }, (_, i) => overBoth(`share beyond threshold ${i + 1}`, resnet)).flat(),
    note: 'The thresholds are the 15 inner sixteenths of all distances of the experiment, by all methods and seeds; the paper does not name its own.',
    figure: { figure: 'thresholds', number: 'E.5' },
  },
  ...[
    { at: barlow, id: 'figure-7', where: '7', section: 'section 4.4', name: 'Barlow Twins' },
    {
      at: simclr,
      id: 'simclr',
      where: '7',
      section: 'SimCLR for Barlow Twins',
      name: 'SimCLR, which the paper has no figure of',
    },
  ].flatMap(({ at, id, where, section, name }): Claim[] => [
    {
      id: id === 'simclr' ? 'simclr-tail' : `${id}a`,
      where: `figure ${where}a, ${section}`,
      words: `${name}: under rep-spectral the most vulnerable samples are more robust.`,
      analyses: [greater('Δx at the 10th percentile', at, REP, NONE)],
      figure: { figure: 'distances', number: '7a' },
    },
    {
      id: id === 'simclr' ? 'simclr-means' : `${id}b`,
      where: `figure ${where}b, ${section}`,
      words: `${name}: rep-spectral gains in test accuracy and in mean Δx.`,
      analyses: [greater('test accuracy', at, REP, NONE), greater('Δx', at, REP, NONE)],
      note: 'The paper calls the gain slight, without a number. That there is one is tested, not how slight it is.',
      figure: { figure: 'robustness', number: '7b' },
    },
  ]),
];

const then = (pretrained: string, finetuned: string): string => `${pretrained} > ${finetuned}`;
const BSS = 'batch-spectral-shrinkage';

/** From regularized weights a tenth more Δx, and at most two points less accuracy: the paper's numbers of figure E.7. */
const tenth = (at: At): Analysis => ({
  test: 'greater',
  measure: 'Δx',
  a: side(at, then(REP, NONE)),
  b: side(at, then(NONE, NONE)),
  times: 1.1,
});
const twoPoints = (at: At): Analysis =>
  notLess('test accuracy', at, then(REP, NONE), then(NONE, NONE), { size: 0.02, why: "the paper's own number" });

const ofTransfer: readonly Claim[] = [
  {
    id: 'figure-8',
    where: 'figure 8, section 4.5',
    words: 'Fine-tuned on CIFAR-10: rep-spectral at pretraining gains Δx; a regularizer at fine-tuning costs it.',
    analyses: [
      greater('Δx', cifar, then(REP, NONE), then(NONE, NONE)),
      ...[NONE, REP].flatMap((pretrained) =>
        [REP, BSS].map((finetuned) => greater('Δx', cifar, then(pretrained, NONE), then(pretrained, finetuned))),
      ),
    ],
    note: 'The paper says ‘typically hurts’; here each of the four regularized fine-tunings is compared. It says ‘substantial’, too, without a number: that there is a gain is tested, not its size. Networks of one pretraining share its seed, so a seed is a pretraining with its fine-tunings.',
    figure: { figure: 'transfer-distances', number: '8' },
  },
  {
    id: 'figure-e6',
    where: 'figure E.6, section E.4',
    words: 'Fine-tuned on CIFAR-10: networks from regularized weights lose less than one point of test accuracy.',
    analyses: [notLess('test accuracy', cifar, then(REP, NONE), then(NONE, NONE), onePoint)],
    note: 'The paper’s number is a drop of 0.2 points on average, which is less than its test set tells apart; so one point is tested. That all reach 96 % is not tested: it is a level of ResNet-50 pretrained on ImageNet-1K, given without a tolerance.',
    figure: { figure: 'transfer-accuracies', number: 'E.6' },
  },
  {
    id: 'figure-e7-distance',
    where: 'figure E.7, section E.4',
    words: 'Fine-tuned on photographs: from regularized weights at least 10 % of mean Δx is gained.',
    analyses: [tenth(photographs)],
    figure: { figure: 'transfer', number: 'E.7' },
  },
  {
    id: 'figure-e7-accuracy',
    where: 'figure E.7, section E.4',
    words: 'Fine-tuned on photographs: from regularized weights at most 2 points of accuracy are lost.',
    analyses: [twoPoints(photographs)],
  },
  ...[
    { set: 'dogs', name: 'Stanford Dogs' },
    { set: 'flowers', name: 'Oxford Flowers' },
    { set: 'indoor', name: 'MIT Indoor' },
  ].map(({ set, name }): Claim => {
    const at: At = { experiment: `finetune-${set}` };
    return {
      id: `figure-e7-${set}`,
      where: `figure E.7, section E.4, ${name}`,
      words: `Fine-tuned on ${name}: from regularized weights at least 10 % of mean Δx is gained, and at most 2 points of accuracy are lost.`,
      analyses: [tenth(at), twoPoints(at)],
    };
  }),
  {
    id: 'introduction-transfer',
    where: 'introduction, of transfer learning',
    words: 'Fine-tuned on CIFAR-10 and on photographs: from regularized weights test accuracy is higher.',
    analyses: [cifar, photographs].map((at) => greater('test accuracy', at, then(REP, NONE), then(NONE, NONE))),
    note: 'The introduction says that the method improves test accuracy in transfer learning; section E.4 reports drops of 0.2 and 2 points. The words of the introduction are judged.',
  },
];

export const deepClaims: readonly Claim[] = [...ofCifar, ...ofTransfer];

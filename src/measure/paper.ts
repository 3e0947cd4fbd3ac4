/** What the paper showed where a figure of ours stands, so that a reader can hold the two side by side. */
export type Shown = keyof typeof PAPER;

type Entry = readonly [pipeline: RegExp, figure: string | null, text: string];

const PAPER = {
  'trade-off': [
    [
      /./,
      '1',
      'figure 1 draws the trade-off for two classes: half the samples right and far from the boundary; all right, but close to it; all right with a large margin, the ideal.',
    ],
  ],
  distances: [
    [
      /xor/i,
      '2',
      'figure 2 (clean XOR, ten seeds, Δx by Tangent Attack, bars ± 1 standard deviation): rep-spectral has the largest average Δx, with and without weight decay.',
    ],
  ],
  'distances-noisy': [
    [
      /xor/i,
      'E.2',
      'figure E.2 (clean and noisy XOR, with and without weight decay 1e-4, ten seeds): the order is the same throughout, rep-spectral having the largest average Δx.',
    ],
  ],
  boundaries: [
    [
      /xor/i,
      '3a',
      'figure 3a (clean XOR): rep-spectral widens the margin; the penalty on all layers hardly moves the boundary.',
    ],
    [/./, null, 'the paper draws boundaries for XOR only (figure 3a: rep-spectral widens the margin).'],
  ],
  'boundaries-noisy': [
    [
      /xor/i,
      'E.3',
      'figure E.3 draws the boundaries for noisy XOR, as figure 3a does for the clean one, and says no more of them.',
    ],
  ],
  volume: [
    [
      /xor/i,
      '3b',
      'figure 3b (clean XOR): under rep-spectral the areas of small volume element near the class centers are noticeably larger than under the other two.',
    ],
    [
      /./,
      null,
      'the paper draws the volume element for XOR only (figure 3b: small near the class centers under rep-spectral).',
    ],
  ],
  eigenvalue: [
    [
      /./,
      null,
      'remark 1: λmax(g) is the dominant term of √det g, and a robust network must have it small; it is not drawn there.',
    ],
  ],
  robustness: [
    [
      /mnist/i,
      '4',
      'figure 4 (2000 hidden units, ten seeds, 1000 test images): regularization lowers test accuracy slightly; rep-spectral loses less of it and gains more adversarial distance than ll-spectral.',
    ],
    [
      /barlow/i,
      '7b',
      'figure 7b (ResNet-18 pretrained by Barlow Twins, logistic readout, ten seeds, 1000 test images): rep-spectral gains slightly in accuracy and in mean distance.',
    ],
    [
      /simclr/i,
      null,
      'the paper shows pretraining by Barlow Twins alone (figure 7b): rep-spectral gains slightly in accuracy and in mean distance.',
    ],
    [
      /cifar|resnet/i,
      '6b',
      'figure 6b (ResNet-18, ten seeds, 1000 test images): both penalties raise accuracy and distance, rep-spectral perhaps marginally more.',
    ],
  ],
  readout: [
    [
      /mnist/i,
      '5',
      'figure 5 (2000 hidden units, ten seeds, 1000 test images): with a readout fitted anew, rep-spectral costs no accuracy against the unregularized network, and its Δx is the largest.',
    ],
  ],
  distribution: [
    [
      /finetune/i,
      null,
      'the paper draws densities for training with labels (figure 6a) and by Barlow Twins (figure 7a) only: rep-spectral moves the most vulnerable samples away from the boundary.',
    ],
    [
      /barlow/i,
      '7a',
      'figure 7a (ResNet-18 pretrained by Barlow Twins, logistic readout, 1000 test images): under rep-spectral the most vulnerable samples are further from the decision boundary.',
    ],
    [
      /simclr/i,
      null,
      'figure 7a draws these for pretraining by Barlow Twins: under rep-spectral the most vulnerable samples are further from the decision boundary.',
    ],
    [
      /cifar|resnet/i,
      '6a',
      'figure 6a (ResNet-18, CIFAR-10, 1000 test images): rep-spectral shifts the density to the right; the gain comes mostly from samples that were close to the decision boundary, for the bump in the left tail is gone.',
    ],
    [
      /./,
      null,
      'figure 6a draws such densities for ResNet-18 on CIFAR-10: the gain comes mostly from samples that were close to the decision boundary.',
    ],
  ],
  'transfer-distances': [
    [
      /cifar/i,
      '8',
      'figure 8 (ResNet-50, ImageNet to CIFAR-10, ten seeds, 500 test images): rep-spectral at pretraining gains substantially, a regularizer at fine-tuning typically costs; the largest Δx comes of rep-spectral at pretraining and none at fine-tuning.',
    ],
    [
      /./,
      null,
      'figure 8 draws these for ResNet-50 from ImageNet to CIFAR-10: rep-spectral at pretraining gains substantially, a regularizer at fine-tuning typically costs.',
    ],
  ],
  'transfer-accuracies': [
    [
      /cifar/i,
      'E.6',
      'figure E.6 (ResNet-50, ImageNet to CIFAR-10): all combinations reach 96 %; those from regularized weights are 0.2 % lower on average.',
    ],
    [/./, null, 'figure E.6 draws these for CIFAR-10: all combinations reach 96 %.'],
  ],
  'transfer-both': [
    [
      /./,
      'E.7',
      'figure E.7 (ResNet-50, ImageNet to Stanford Dogs, Oxford Flowers and MIT Indoor, five seeds, fine-tuned without a regularizer): from regularized weights at most 2 % of accuracy is lost and at least 10 % of mean distance gained.',
    ],
  ],
  thresholds: [
    [
      /barlow|simclr|finetune/i,
      null,
      'figure E.5 draws these shares for ResNet-18 trained with labels: rep-spectral has the highest at each of 15 thresholds.',
    ],
    [
      /cifar|resnet/i,
      'E.5',
      'figure E.5 (ResNet-18, CIFAR-10, 1000 test images, ten seeds): at each of 15 thresholds rep-spectral has the highest share of samples beyond it.',
    ],
    [
      /./,
      null,
      'figure E.5 draws these shares for ResNet-18 on CIFAR-10: rep-spectral has the highest at each of 15 thresholds.',
    ],
  ],
  sigma: [
    [
      /xor/i,
      'E.1',
      'figure E.1 (clean XOR, penalty on from epoch 10,500): rep-spectral holds the feature layer down while the readout grows; ll-spectral does the opposite.',
    ],
    [
      /./,
      null,
      'figure E.1 draws these for clean XOR: rep-spectral holds the feature layer down while the readout grows; ll-spectral does the opposite.',
    ],
  ],
  pictures: [
    [
      /mnist/i,
      'E.4',
      'figure E.4 (MNIST, three methods): larger perturbations are needed under rep-spectral than under the others.',
    ],
    [
      /./,
      null,
      'figure E.4 draws these for MNIST: larger perturbations are needed under rep-spectral than under the others.',
    ],
  ],
  'alignment-small': [
    [
      /./,
      'A.1',
      'figure A.1 (three classes at 120° in the plane, start N(0, 0.001²), full-batch descent at rate 0.01): each weight vector turns to the features of its class (lemma 2).',
    ],
  ],
  'alignment-large': [
    [
      /./,
      'A.2',
      'figure A.2 (as figure A.1, from a start of N(0, 0.1²)): from a large start, too, each weight vector turns to the features of its class.',
    ],
  ],
  tracking: [
    [
      /./,
      'A.3a',
      'figure A.3a (XOR, 20 hidden units, start N(0, 0.01²)): θx and ‖Φ(x)‖ both grow from their start over the training, while the loss falls.',
    ],
  ],
  'tracking-images': [
    [
      /./,
      'A.4',
      'figure A.4 (MNIST, a test sample of class 1 and one of class 6, start N(0, 0.01²)): θx and ‖Φ(x)‖ grow over the training.',
    ],
  ],
  snapshots: [
    [/./, 'A.3b', 'figure A.3b (XOR, 20 hidden units) draws the boundary at several epochs of one training.'],
  ],
  bounds: [
    [
      /./,
      null,
      'lemma 1 bounds Δx from below by θx‖Φ(x)‖ over the largest Jacobian norm in the ball; the paper measures it on no sample.',
    ],
  ],
} as const satisfies Readonly<Record<string, readonly Entry[]>>;

/** What names a figure: its file, its title with the paper's number where it has one, and what the paper showed. */
export interface Entitled {
  readonly id: string;
  readonly title: string;
  readonly paper: string | null;
}

/** A figure's name under this pipeline: 'figure-e1-sigma', 'Figure E.1: …'; without a number where the paper drew it for another task. */
export function entitled(shown: Shown, pipeline: string, slug: string, title: string): Entitled {
  const entries: readonly Entry[] = PAPER[shown];
  const [, figure, text] = entries.find(([pattern]) => pattern.test(pipeline)) ?? [null, null, null];
  if (figure === null) return { id: slug, title, paper: text };
  return {
    id: `figure-${figure.toLowerCase().replace('.', '')}-${slug}`,
    title: `Figure ${figure}: ${title}`,
    paper: text,
  };
}

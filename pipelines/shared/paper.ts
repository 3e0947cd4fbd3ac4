import type { PipelineFigure } from 'weir-engine';

/**
 * The figures of the paper's experiments, in its order, with its words on each: what stands beside ours in a report.
 *
 * An entry with a number is the same figure; one without has the paper's words on that kind of figure for another task.
 */

const distances: PipelineFigure = {
  figure: 'distances',
  paper:
    'figure 6a draws such densities for ResNet-18 on CIFAR-10: the gain comes mostly from samples that were close to the decision boundary.',
};
const thresholds: PipelineFigure = {
  figure: 'thresholds',
  paper:
    'figure E.5 draws these shares for ResNet-18 trained with labels on CIFAR-10: rep-spectral has the highest at each of 15 thresholds.',
};
const bounds: PipelineFigure = {
  figure: 'bounds',
  paper:
    'lemma 1 bounds Δx from below by θx‖Φ(x)‖ over the largest Jacobian norm in the ball; the paper measures it on no sample.',
};
const pictures: PipelineFigure = {
  figure: 'pictures',
  paper: 'figure E.4 draws these for MNIST: larger perturbations are needed under rep-spectral than under the others.',
};
const sigma: PipelineFigure = {
  figure: 'sigma',
  paper:
    'figure E.1 draws these for clean XOR: rep-spectral holds the feature layer down while the readout grows; ll-spectral does the opposite.',
};

/** Sections 4.1 and E.1: four corners of the plane, or noisy points about them. */
export const xor: readonly PipelineFigure[] = [
  {
    figure: 'trade-off',
    number: '1',
    paper:
      'figure 1 draws the trade-off for two classes: half the samples right and far from the boundary; all right, but close to it; all right with a large margin, the ideal.',
  },
  {
    figure: 'mean-distances',
    where: { noisy: false },
    number: '2',
    paper:
      'figure 2 (clean XOR, ten seeds, Δx by Tangent Attack, bars ± 1 standard deviation): rep-spectral has the largest average Δx, with and without weight decay.',
  },
  {
    figure: 'mean-distances',
    title: 'Mean adversarial distance per regularizer, clean and noisy data',
    number: 'E.2',
    paper:
      'figure E.2 (clean and noisy XOR, with and without weight decay 1e-4, ten seeds): the order is the same throughout, rep-spectral having the largest average Δx.',
  },
  {
    figure: 'boundaries',
    where: { noisy: false },
    number: '3a',
    paper:
      'figure 3a (clean XOR): rep-spectral widens the margin; the regularizer on all layers hardly moves the boundary.',
  },
  {
    figure: 'boundaries',
    title: 'Decision boundaries, noisy data',
    where: { noisy: true },
    number: 'E.3',
    paper:
      'figure E.3 draws the boundaries for noisy XOR, as figure 3a does for the clean one, and says no more of them.',
  },
  {
    figure: 'volume',
    number: '3b',
    paper:
      'figure 3b (clean XOR): under rep-spectral the areas of small volume element near the class centers are noticeably larger than under the other two.',
  },
  {
    figure: 'top-eigenvalue',
    paper:
      'remark 1: λmax(g) is the dominant term of √det g, and a robust network must have it small; it is not drawn there.',
  },
  distances,
  thresholds,
  bounds,
  {
    figure: 'sigma',
    number: 'E.1',
    paper:
      'figure E.1 (clean XOR, regularizer on from epoch 10,500): rep-spectral holds the feature layer down while the readout grows; ll-spectral does the opposite.',
  },
];

const readout: PipelineFigure = {
  figure: 'readout',
  number: '5',
  paper:
    'figure 5 (2000 hidden units, ten seeds, 1000 test images): with a readout fitted anew, rep-spectral costs no accuracy against the unregularized network, and its Δx is the largest.',
};

/** Sections 4.2 and E.1: handwritten digits, one hidden layer. */
export const mnist: readonly PipelineFigure[] = [
  {
    figure: 'robustness',
    number: '4',
    paper:
      'figure 4 (2000 hidden units, ten seeds, 1000 test images): regularization lowers test accuracy slightly; rep-spectral loses less of it and gains more adversarial distance than ll-spectral.',
  },
  readout,
  distances,
  thresholds,
  bounds,
  {
    figure: 'pictures',
    number: 'E.4',
    paper:
      'figure E.4 (MNIST, three methods): larger perturbations are needed under rep-spectral than under the others.',
  },
  sigma,
];

/** Figure 5: the same networks with a readout fitted anew. */
export const mnistReadout: readonly PipelineFigure[] = [readout];

/** Sections 4.3 and E.2: ResNet-18 on CIFAR-10, trained with labels. */
export const resnet18: readonly PipelineFigure[] = [
  {
    figure: 'robustness',
    number: '6b',
    paper:
      'figure 6b (ResNet-18, ten seeds, 1000 test images): both regularizers raise accuracy and distance, rep-spectral perhaps marginally more.',
  },
  {
    figure: 'distances',
    number: '6a',
    paper:
      'figure 6a (ResNet-18, CIFAR-10, 1000 test images): rep-spectral shifts the density to the right; the gain comes mostly from samples that were close to the decision boundary, for the bump in the left tail is gone.',
  },
  {
    figure: 'thresholds',
    number: 'E.5',
    paper:
      'figure E.5 (ResNet-18, CIFAR-10, 1000 test images, ten seeds): at each of 15 thresholds rep-spectral has the highest share of samples beyond it.',
  },
  pictures,
  sigma,
];

/** Section 4.4: ResNet-18 pretrained by Barlow Twins. */
export const barlow: readonly PipelineFigure[] = [
  {
    figure: 'robustness',
    number: '7b',
    paper:
      'figure 7b (ResNet-18 pretrained by Barlow Twins, logistic readout, ten seeds, 1000 test images): rep-spectral gains slightly in accuracy and in mean distance.',
  },
  { figure: 'online-readout' },
  {
    figure: 'distances',
    number: '7a',
    paper:
      'figure 7a (ResNet-18 pretrained by Barlow Twins, logistic readout, 1000 test images): under rep-spectral the most vulnerable samples are further from the decision boundary.',
  },
  thresholds,
  pictures,
  sigma,
];

/** The same by SimCLR, which the paper has no figures of. */
export const simclr: readonly PipelineFigure[] = [
  {
    figure: 'robustness',
    paper:
      'the paper shows pretraining by Barlow Twins alone (figure 7b): rep-spectral gains slightly in accuracy and in mean distance.',
  },
  { figure: 'online-readout' },
  {
    figure: 'distances',
    paper:
      'figure 7a draws these for pretraining by Barlow Twins: under rep-spectral the most vulnerable samples are further from the decision boundary.',
  },
  thresholds,
  pictures,
  sigma,
];

const finetunedDistances: PipelineFigure = {
  figure: 'distances',
  paper:
    'the paper draws densities for training with labels (figure 6a) and by Barlow Twins (figure 7a) only: rep-spectral moves the most vulnerable samples away from the boundary.',
};

/** Sections 4.5 and E.4: from ImageNet to CIFAR-10. */
export const finetuneCifar10: readonly PipelineFigure[] = [
  {
    figure: 'transfer-distances',
    number: '8',
    paper:
      'figure 8 (ResNet-50, ImageNet to CIFAR-10, ten seeds, 500 test images): rep-spectral at pretraining gains substantially, a regularizer at fine-tuning typically costs; the largest Δx comes of rep-spectral at pretraining and none at fine-tuning.',
  },
  {
    figure: 'transfer-accuracies',
    number: 'E.6',
    paper:
      'figure E.6 (ResNet-50, ImageNet to CIFAR-10): all combinations reach 96 %; those from regularized weights are 0.2 % lower on average.',
  },
  finetunedDistances,
  thresholds,
];

/** Section E.4: from ImageNet to dogs, flowers and indoor scenes. */
export const finetuneFolder: readonly PipelineFigure[] = [
  {
    figure: 'transfer',
    number: 'E.7',
    paper:
      'figure E.7 (ResNet-50, ImageNet to Stanford Dogs, Oxford Flowers and MIT Indoor, five seeds, fine-tuned without a regularizer): from regularized weights at most 2 % of accuracy is lost and at least 10 % of mean distance gained.',
  },
  finetunedDistances,
  thresholds,
];

/** Appendix A.3: the last layer aligns with the class features. */
export const alignment: readonly PipelineFigure[] = [
  {
    figure: 'alignment-small-start',
    number: 'A.1',
    paper:
      'figure A.1 (three classes at 120° in the plane, start N(0, 0.001²), full-batch descent at rate 0.01): each weight vector turns to the features of its class (lemma 2).',
  },
  {
    figure: 'alignment-large-start',
    number: 'A.2',
    paper:
      'figure A.2 (as figure A.1, from a start of N(0, 0.1²)): from a large start, too, each weight vector turns to the features of its class.',
  },
];

/** Appendix A.4: single samples over a training. */
export const tracking: readonly PipelineFigure[] = [
  {
    figure: 'tracking',
    number: 'A.3a',
    paper:
      'figure A.3a (XOR, 20 hidden units, start N(0, 0.01²)): θx and ‖Φ(x)‖ both grow from their start over the training, while the loss falls.',
  },
  {
    figure: 'tracking-images',
    number: 'A.4',
    paper:
      'figure A.4 (MNIST, a test sample of class 1 and one of class 6, start N(0, 0.01²)): θx and ‖Φ(x)‖ grow over the training.',
  },
  {
    figure: 'boundary-snapshots',
    number: 'A.3b',
    paper: 'figure A.3b (XOR, 20 hidden units) draws the boundary at several epochs of one training.',
  },
];

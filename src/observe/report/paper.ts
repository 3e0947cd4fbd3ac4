/** What the paper showed where a figure of ours stands, so that a reader can hold the two side by side. */
export type Shown = 'robustness' | 'distribution' | 'sigma' | 'pictures';

const PAPER: Readonly<Record<Shown, readonly (readonly [pipeline: RegExp, text: string])[]>> = {
  robustness: [
    [
      /mnist/i,
      'Figure 4 of the paper (2000 hidden units, ten seeds, 1000 test images): regularisation lowers test accuracy slightly; rep-spectral loses less of it and gains more adversarial distance than ll-spectral.',
    ],
    [
      /xor/i,
      'Figures 2 and E.2 of the paper (ten seeds): rep-spectral has the largest average Δx, with and without weight decay.',
    ],
    [
      /cifar|resnet/i,
      'Figure 6b of the paper (ten seeds, 1000 test images): both penalties raise accuracy and distance, rep-spectral perhaps marginally more.',
    ],
  ],
  distribution: [
    [
      /./,
      'Figure 6a of the paper (ResNet-18, CIFAR-10) has such distributions: there the gain comes mostly from samples that were close to the decision boundary.',
    ],
  ],
  sigma: [
    [
      /./,
      'Figure E.1 of the paper (clean XOR): once the penalty is on, rep-spectral holds the feature layer down while the readout grows; ll-spectral does the opposite.',
    ],
  ],
  pictures: [
    [/./, 'Figure E.4 of the paper: larger perturbations are needed under rep-spectral than under the others.'],
  ],
};

/** The paper's finding for this figure under this pipeline; null where it has none. */
export function paperShowed(shown: Shown, pipeline: string): string | null {
  return PAPER[shown].find(([pattern]) => pattern.test(pipeline))?.[1] ?? null;
}

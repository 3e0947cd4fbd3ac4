/** What the authors' protocol gives on clean XOR with ten seeds, computed from their description: to hold ours against. */
export interface Reference {
  readonly decay: 0 | 1e-4;
  readonly regularizer: string;
  /** Mean over seeds, of the hidden layer and of the readout. */
  readonly sigma: readonly [hidden: number, readout: number];
  /** Mean and sample standard deviation over seeds of the mean distance to the boundary, by a dense scan. */
  readonly exact: readonly [mean: number, standardDeviation: number];
  /** The same by the Tangent Attack. */
  readonly attacked: readonly [mean: number, standardDeviation: number];
}

export const SEEDS = 10;

/** 2-8-2 GELU, logits times 1/√8, N(0, 0.01²), full batch, rate 1, momentum 0.9, γ = 1e-4 from epoch 10,501 to 15,001. */
export const XOR: readonly Reference[] = [
  { decay: 0, regularizer: 'none', sigma: [8.14, 11.29], exact: [0.775, 0.098], attacked: [0.797, 0.117] },
  { decay: 0, regularizer: 'rep-spectral', sigma: [3.21, 14.6], exact: [0.842, 0.124], attacked: [0.848, 0.129] },
  { decay: 0, regularizer: 'll-spectral', sigma: [6.03, 6.12], exact: [0.86, 0.126], attacked: [0.864, 0.127] },
  { decay: 0, regularizer: 'readout-spectral', sigma: [12.83, 3.65], exact: [0.815, 0.119], attacked: [0.824, 0.126] },
  { decay: 1e-4, regularizer: 'none', sigma: [5.32, 6.88], exact: [0.864, 0.145], attacked: [0.867, 0.142] },
  { decay: 1e-4, regularizer: 'rep-spectral', sigma: [4.51, 7.58], exact: [0.883, 0.13], attacked: [0.888, 0.126] },
];

/** A layer that has a spectral norm: a linear map, by the kernel among the weights that makes it. */
export type Layer = DenseLayer | ConvLayer;

/** y = (xW + b) · factor. */
export interface DenseLayer {
  readonly kind: 'dense';
  readonly name: string;
  /** Name of its kernel among the weights, [in, out]. */
  readonly kernel: string;
  /** 1 where it is left out; σ is that of the kernel, without it. */
  readonly factor?: number;
}

/** A convolution over images of a stated size, [height, width, in] to [⌈height/stride⌉, ⌈width/stride⌉, out]. */
export interface ConvLayer {
  readonly kind: 'conv';
  readonly name: string;
  /** Name of its kernel among the weights, HWIO: [rows, columns, in, out]. */
  readonly kernel: string;
  readonly stride: number;
  /** What the layer meets in this model: its σ depends on it (paper, B.3). */
  readonly inputSize: readonly [height: number, width: number];
  /** σ is that of the circular convolution either way; with 'zero' it is an estimate. */
  readonly padding: Padding;
  /** Names of the batch normalization behind it, where there is one: its scales may be folded into σ. */
  readonly normalization?: { readonly scale: string; readonly variance: string; readonly epsilon: number };
}

/** How a convolution sees beyond the edge: opposite pixels (the paper's networks), or zeros. Symmetric, as in PyTorch. */
export type Padding = 'circular' | 'zero';

import type { Raw } from './raw.js';

/**
 * A convolution of images [n, height, width, in] by a kernel of size × size to [n, ⌈height/stride⌉, ⌈width/stride⌉, out]. The padding
 * is half the kernel on each side, as PyTorch does it.
 */
export interface Geometry {
  readonly height: number;
  readonly width: number;
  readonly in: number;
  readonly out: number;
  /** Of the kernel; odd. */
  readonly size: number;
  readonly stride: number;
  /** What is beyond the edge: the opposite pixels, or zeros. */
  readonly padding: 'circular' | 'zero';
}

/** What is done to a convolution's sums before they are written. */
export interface Behind {
  /** [out], float32. */
  readonly bias?: Raw;
  /** Of the shape of the result. */
  readonly residual?: Raw;
  readonly rectify?: boolean;
}

/**
 * Convolutions with all their derivatives. Images are of the precision asked for, kernels and their gradients are HWIO and float32.
 * All that is returned is new; what is handed in stays the caller's.
 */
export interface Convolutions {
  /**
   * A kernel as `convolve` reads it. Told how many `images` it is for, it may be laid out for so many: results then have other bits
   * than for another number, so only where that number is the same whenever the work is done again.
   */
  packed(kernel: Raw, geometry: Geometry, images?: number): Raw;
  convolve(x: Raw, packed: Raw, geometry: Geometry, behind?: Behind): Raw;
  /** The gradient with respect to x; `images` as in `packed`. */
  back(dy: Raw, kernel: Raw, geometry: Geometry, images?: number): Raw;
  /** The gradient with respect to the kernel. */
  filter(x: Raw, dy: Raw, geometry: Geometry): Raw;
}

/** The largest singular value of a layer with its directions, so far as power iteration has come. */
export interface Singular {
  /** σ. */
  readonly sigma: number;
  /**
   * Unit vector on the output side: σu is what the layer makes of v. A dense layer's is [out]; for convolutions see the file of
   * the iteration that made it.
   */
  readonly u: Float32Array;
  /** Unit vector on the input side. */
  readonly v: Float32Array;
  /** Where v was found, for a search that goes by frequencies: the next one begins there. */
  readonly frequency?: number;
  /** What the iteration carries besides: for convolutions a vector at every frequency. */
  readonly state?: Float32Array;
}

/** Per layer, by its name; plain data. */
export type Spectrum = { readonly [layer: string]: Singular };

/** The largest singular value of a layer with its directions, so far as power iteration has come. */
export interface Singular {
  /** σ. */
  readonly sigma: number;
  /** Unit vector on the output side: σu is what the layer makes of v. */
  readonly u: Float32Array;
  /** Unit vector on the input side. */
  readonly v: Float32Array;
}

/** Per layer, by its name; plain data. */
export type Spectrum = { readonly [layer: string]: Singular };

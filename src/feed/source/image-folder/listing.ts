/** Which images a data set has, before any is opened. */
export interface Listing {
  /** What kind of folder it was taken for. */
  readonly layout: string;
  readonly classes: readonly string[];
  /** Paths below the folder, with '/', and the label of each; in the order of the data set. */
  readonly paths: readonly string[];
  readonly labels: readonly number[];
}

const IMAGE = /\.(jpe?g|png|webp|bmp|gif|tiff?|ppm|pgm)$/i;

/** Whether a file is held to be an image: by its name, and not hidden. */
export const isImageName = (name: string): boolean => IMAGE.test(name) && !name.startsWith('.');

/** Order by code units: the same in every language. */
export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

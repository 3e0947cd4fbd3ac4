/** Which images a data set has, before any is opened. */
export interface Listing {
  /** What kind of folder it was taken for. */
  readonly layout: string;
  readonly classes: readonly string[];
  /** Paths below the folder, with '/', and the label of each; in the order of the data set. */
  readonly paths: readonly string[];
  readonly labels: readonly number[];
  /** Files that lie among them and are not read, by what they are: an ending, mostly. */
  readonly passedOver?: ReadonlyMap<string, number>;
}

/** Links out of the folder: refused, or followed as torchvision follows them. */
export type Links = 'inside' | 'follow';

const IMAGE = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|bmp)$/i;

const OTHER_IMAGE = /^\.(p[bgpn]m|hei[cf]|jxl|jp2|j2k|svg|ico|tga|psd|exr|hdr|raw|dng|cr2|nef|arw)$/i;

/** Whether files with that ending are images of a kind that is not read. */
export const isOtherImage = (ending: string): boolean => OTHER_IMAGE.test(ending);

/** Whether a file is held to be an image: by its name, and not hidden. */
export const isImageName = (name: string): boolean =>
  IMAGE.test(name) && !name.startsWith('../../../feed/source/image-folder');

/** Order by code units: the same in every language. */
export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

// The registry of augmentation ops: an op that is exported here can stand in a recipe, and is exported by Weir.
export { type ColorJitterOptions, colorJitter, type JitterStrengths, randomGrayscale } from './color.js';
export {
  centerCrop,
  type RandomCropOptions,
  type RandomResizedCropOptions,
  randomCrop,
  randomResizedCrop,
} from './crop.js';
export { type GaussianBlurOptions, gaussianBlur } from './gaussian-blur.js';
export { horizontalFlip } from './horizontal-flip.js';
export { type GaussianNoiseOptions, gaussianNoise, type LightingOptions, lighting } from './noise.js';
export { type NormalizeOptions, normalize, unitScale } from './normalize.js';
export { type ResizeOptions, resize } from './resize.js';
export { type SolarizeOptions, solarize } from './solarize.js';

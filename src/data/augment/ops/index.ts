// The registry of augmentation ops: an op that is exported here can stand in a recipe, and is exported by Weir.
export { colorJitter, randomGrayscale } from './color.js';
export { centerCrop, randomCrop, randomResizedCrop } from './crop.js';
export { gaussianBlur } from './gaussian-blur.js';
export { horizontalFlip } from './horizontal-flip.js';
export { gaussianNoise, lighting } from './noise.js';
export { normalize, unitScale } from './normalize.js';
export { resize } from './resize.js';
export { solarize } from './solarize.js';

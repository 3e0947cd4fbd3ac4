/// <reference types="node" preserve="true" />

/**
 * Augmentation by itself, as `weir-engine/augment`: ops, recipes and what renders them, of which a pipeline imports the same from
 * `weir-engine`, and the contract of an op.
 *
 * @module
 */

export { augment, views } from './data/augment/augment.js';
export { compileRecipe, type Rendering, type SampleKey } from './data/augment/compiler.js';
export * from './data/augment/ops/index.js';
// The contract of an op.
export type {
  Apply,
  FreeOp,
  LightOp,
  MovingOp,
  OpBuilder,
  OpData,
  OpDefinition,
  OpenShape,
  PixelOp,
  Resizing,
  ResizingOp,
} from './data/augment/ops/op.js';
export { imageShape } from './data/augment/ops/op.js';
export { defineOp, type OwnOp, type OwnOpBuilder } from './data/augment/own-op.js';
export {
  barlowRecipes,
  cifar10Statistics,
  fineTuneRecipe,
  fineTuneTestRecipe,
  imagenetRecipe,
  imagenetStatistics,
  imagenetTestRecipe,
  type Recipe,
  simclrRecipes,
} from './data/augment/recipes.js';
export { decoded, rendered } from './data/augment/rendered-dataset.js';
export type { Image } from './data/images/image.js';
export type { Random } from './flow/random.js';

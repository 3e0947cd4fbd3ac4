/// <reference types="node" preserve="true" />

/**
 * Augmentation by itself, as `weir-engine/augment`: ops, recipes, what renders them, and the contract of an op. `weir-engine` exports all of it
 * too. A module that worker threads import, such as that of an op, takes them from here, and loads nothing else.
 *
 * @module
 */

export { type AugmentOptions, augment, type OnThreadsOptions, views } from './data/augment/augment.js';
export { compileRecipe, type Rendering, type SampleKey } from './data/augment/compiler.js';
export * from './data/augment/ops/index.js';
// The contract of an op.
export {
  type Apply,
  type FreeOp,
  imageShape,
  type LightOp,
  type MovingOp,
  type OpBuilder,
  type OpData,
  type OpDefinition,
  type OpenShape,
  type OpOf,
  type PixelOp,
  type Range,
  type Resizing,
  type ResizingOp,
  type Size,
} from './data/augment/ops/op.js';
export { defineOp, type OwnOp, type OwnOpBuilder, type PlainOptions } from './data/augment/own-op.js';
export type { PoolOptions } from './data/augment/pool.js';
export {
  barlowRecipes,
  cifar10Statistics,
  type FineTuneData,
  fineTuneRecipe,
  fineTuneTestRecipe,
  imagenetRecipe,
  imagenetStatistics,
  imagenetTestRecipe,
  type Recipe,
  type SizeOptions,
  simclrRecipes,
} from './data/augment/recipes.js';
export { type DecodedOptions, decoded, rendered } from './data/augment/rendered-dataset.js';
export type { Image } from './data/images/image.js';
export type { Random } from './flow/random.js';

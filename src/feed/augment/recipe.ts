import { WeirError } from '../../core/errors.js';
import { type ColourJitter, colourJitterDefinition } from './op/colour-jitter.js';
import { type GaussianBlur, gaussianBlurDefinition } from './op/gaussian-blur.js';
import { type GaussianNoise, gaussianNoiseDefinition } from './op/gaussian-noise.js';
import { type HorizontalFlip, horizontalFlipDefinition } from './op/horizontal-flip.js';
import { type Normalise, normaliseDefinition } from './op/normalise.js';
import type { Apply, OpData, OpDefinition } from './op/op.js';
import { type RandomCrop, randomCropDefinition } from './op/random-crop.js';
import { type RandomGreyscale, randomGreyscaleDefinition } from './op/random-greyscale.js';
import { type RandomResizedCrop, randomResizedCropDefinition } from './op/random-resized-crop.js';
import { type RandomSolarise, randomSolariseDefinition } from './op/random-solarise.js';
import { type UnitScale, unitScaleDefinition } from './op/unit-scale.js';

export type Op =
  | UnitScale
  | Normalise
  | GaussianNoise
  | RandomCrop
  | HorizontalFlip
  | RandomResizedCrop
  | ColourJitter
  | RandomGreyscale
  | GaussianBlur
  | RandomSolarise;

/** What is done to each sample, first to last. Plain data: it crosses to worker threads, and a run's record shows it. */
export type Recipe = readonly Op[];

const definitions: { readonly [Name in Op['op']]: OpDefinition<Extract<Op, { op: Name }>> } = {
  unitScale: unitScaleDefinition,
  normalise: normaliseDefinition,
  gaussianNoise: gaussianNoiseDefinition,
  randomCrop: randomCropDefinition,
  horizontalFlip: horizontalFlipDefinition,
  randomResizedCrop: randomResizedCropDefinition,
  colourJitter: colourJitterDefinition,
  randomGreyscale: randomGreyscaleDefinition,
  gaussianBlur: gaussianBlurDefinition,
  randomSolarise: randomSolariseDefinition,
};

function definition(op: OpData): OpDefinition<OpData> {
  const found = Object.hasOwn(definitions, op.op) ? definitions[op.op as Op['op']] : undefined;
  if (!found) {
    throw new WeirError(`no op is called '${op.op}'`, `the ops are ${Object.keys(definitions).join(', ')}`);
  }
  return found as OpDefinition<OpData>;
}

/** What an op does with values, see `OpDefinition`. */
export const kindOf = (op: Op): OpDefinition<OpData>['kind'] => definition(op).kind;

/** Whether a recipe is so cheap that no worker is worth it; its result is then the same in every epoch. */
export const isLight = (recipe: Recipe): boolean => recipe.every((op) => kindOf(op) === 'light');

/** Looks an op up by its name, checks its options, and makes it ready for samples of one shape. */
export const prepare = (op: Op, shape: readonly number[]): Apply => definition(op).prepare(op, shape);

import { WeirError } from '../../flow/errors.js';
import type { Header } from '../../flow/header.js';
import {
  type ColorJitter,
  colorJitterDefinition,
  type RandomGrayscale,
  randomGrayscaleDefinition,
} from './ops/color.js';
import {
  type CenterCrop,
  centerCropDefinition,
  type RandomCrop,
  type RandomResizedCrop,
  randomCropDefinition,
  randomResizedCropDefinition,
} from './ops/crop.js';
import { type GaussianBlur, gaussianBlurDefinition } from './ops/gaussian-blur.js';
import { type HorizontalFlip, horizontalFlipDefinition } from './ops/horizontal-flip.js';
import { type GaussianNoise, gaussianNoiseDefinition, type Lighting, lightingDefinition } from './ops/noise.js';
import { type Normalize, normalizeDefinition, type UnitScale, unitScaleDefinition } from './ops/normalize.js';
import type { OpData, OpDefinition } from './ops/op.js';
import { type Resize, resizeDefinition } from './ops/resize.js';
import { type Solarize, solarizeDefinition } from './ops/solarize.js';

export type Op =
  | RandomResizedCrop
  | Resize
  | CenterCrop
  | RandomCrop
  | HorizontalFlip
  | ColorJitter
  | RandomGrayscale
  | GaussianBlur
  | Solarize
  | UnitScale
  | Lighting
  | Normalize
  | GaussianNoise;

/** What is done to each sample, first to last. Plain data: it crosses to worker threads, and a run's record shows it. */
export type Recipe = readonly Op[];

const definitions: { readonly [Name in Op['op']]: OpDefinition<Extract<Op, { op: Name }>> } = {
  randomResizedCrop: randomResizedCropDefinition,
  resize: resizeDefinition,
  centerCrop: centerCropDefinition,
  randomCrop: randomCropDefinition,
  horizontalFlip: horizontalFlipDefinition,
  colorJitter: colorJitterDefinition,
  randomGrayscale: randomGrayscaleDefinition,
  gaussianBlur: gaussianBlurDefinition,
  solarize: solarizeDefinition,
  unitScale: unitScaleDefinition,
  lighting: lightingDefinition,
  normalize: normalizeDefinition,
  gaussianNoise: gaussianNoiseDefinition,
};

/** Looks an op up by its name. */
export function definitionOf(op: OpData): OpDefinition<OpData> {
  const found = Object.hasOwn(definitions, op.op) ? definitions[op.op as Op['op']] : undefined;
  if (!found) {
    throw new WeirError(`no op is called '${op.op}'`, `the ops are ${Object.keys(definitions).join(', ')}`);
  }
  return found as OpDefinition<OpData>;
}

/** Whether a recipe is so cheap that no worker is worth it; its result is then the same in every epoch. */
export const isLight = (recipe: Recipe): boolean => recipe.every((op) => definitionOf(op).kind === 'light');

const bytesStay: ReadonlySet<string> = new Set<OpDefinition<OpData>['kind']>(['resizing', 'moving', 'pixels']);

/** Whether all of a recipe works on bytes, so that bytes come out where bytes go in. */
export const keepsBytes = (recipe: Recipe): boolean => recipe.every((op) => bytesStay.has(definitionOf(op).kind));

/** The headers of samples after the recipes: with what they were normalized, where all recipes say the same. */
export function normalizedBy(recipes: readonly Recipe[], incoming: readonly Header[]): readonly Header[] {
  const found = recipes.map((recipe) => recipe.findLast((op) => op.op === 'normalize'));
  const [first] = found;
  if (first === undefined || found.some((op) => JSON.stringify(op) !== JSON.stringify(first))) return incoming;
  const normalization = { mean: [...first.mean], std: [...first.std] };
  return (incoming.length === 0 ? [{}] : incoming).map((header) => ({ ...header, normalization }));
}

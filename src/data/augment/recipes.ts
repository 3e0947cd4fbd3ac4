import { WeirError } from '../../flow/errors.js';
import type { Header } from '../../flow/header.js';
import { checkOptions } from '../../flow/options.js';
import * as ops from './ops/index.js';
import {
  centerCrop,
  colorJitter,
  gaussianBlur,
  horizontalFlip,
  lighting,
  normalize,
  randomGrayscale,
  randomResizedCrop,
  resize,
  solarize,
  unitScale,
} from './ops/index.js';
import type { OpData, OpDefinition } from './ops/op.js';

/** Any of Weir's own ops. */
export type Op = ReturnType<(typeof ops)[keyof typeof ops]>;

/** The ops on each sample, first to last. Plain data: it crosses to worker threads, and a run's record shows it. */
export type Recipe = readonly OpData[];

const definitions = new Map<string, OpDefinition<OpData>>(
  Object.values(ops).map(({ op, definition }) => [op, definition as OpDefinition<OpData>]),
);

/** The modules of ops that are not Weir's own, by op. */
const modules = new Map<string, string>();

/** An op that is not Weir's own, and the address of its module. */
interface RegisteredOp {
  readonly op: string;
  readonly definition: OpDefinition<OpData>;
  readonly module: string;
}

/** Adds an op; a module that is loaded once more replaces its own. @throws {WeirError} for a name that is taken */
export function register({ op, definition, module }: RegisteredOp): void {
  if (definitions.has(op) && modules.get(op) !== module) {
    const by = modules.get(op) ?? 'Weir itself';
    throw new WeirError(`op '${op}' of ${module} has the name of an op of ${by}`, 'give it another name');
  }
  definitions.set(op, definition);
  modules.set(op, module);
}

/** The address of the module that an op is from; undefined for one of Weir's own. */
export const moduleOf = ({ op }: OpData): string | undefined => modules.get(op);

/** Looks an op up by its name. @throws {WeirError} for a name that no op has */
export function definitionOf({ op }: OpData): OpDefinition<OpData> {
  const definition = definitions.get(op);
  if (definition === undefined) {
    throw new WeirError(`no op is called '${op}'`, `the ops are ${[...definitions.keys()].join(', ')}`);
  }
  return definition;
}

/** Whether a recipe is too cheap for a worker thread. Its result is then the same in every epoch. */
export const isLight = (recipe: Recipe): boolean => recipe.every((op) => definitionOf(op).kind === 'light');

const bytesStay: ReadonlySet<string> = new Set<OpDefinition<OpData>['kind']>(['resizing', 'moving', 'pixels']);

/** Whether all ops of a recipe work on bytes, so that bytes stay bytes. */
export const keepsBytes = (recipe: Recipe): boolean => recipe.every((op) => bytesStay.has(definitionOf(op).kind));

type Normalize = ReturnType<typeof ops.normalize>;

/** The headers of samples after the recipes: they say how the samples were normalized, where all recipes agree. */
export function normalizedBy(recipes: readonly Recipe[], incoming: readonly Header[]): readonly Header[] {
  const found = recipes.map((recipe) => recipe.findLast((op): op is Normalize => op.op === 'normalize'));
  const [first] = found;
  if (first === undefined || found.some((op) => JSON.stringify(op) !== JSON.stringify(first))) return incoming;
  const before = incoming.find((header) => header.normalization !== undefined);
  if (before !== undefined) {
    throw new WeirError(
      `op 'normalize' gets samples of '${before.classes?.of ?? 'a data set'}' that are standardized already`,
      'take it out of the recipe',
    );
  }
  const normalization = { mean: [...first.mean], std: [...first.std] };
  return (incoming.length === 0 ? [{}] : incoming).map((header) => ({ ...header, normalization }));
}

/** Mean and standard deviation of each channel in [0, 1], as the authors' code has them. */
export const imagenetStatistics = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
export const cifar10Statistics = { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] } as const;

export interface SizeOptions {
  /** Pixels of each side that come out. */
  readonly size?: number;
}

/**
 * Supervised training on ImageNet as the authors pretrain.
 *
 * Difference to their code: the jitter works on bytes, theirs on floats after scaling to [0, 1].
 *
 * @param size pixels of each side that come out
 * @example loader(train, { epochs: 90, seed }).pipe(augment(imagenetRecipe(), { seed }), batch(256))
 */
export function imagenetRecipe(options: SizeOptions = {}): Recipe {
  const { size = 224 } = checkOptions('imagenetRecipe', options, { size: 'optional' });
  return [
    randomResizedCrop({ size, scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }),
    horizontalFlip({ probability: 0.5 }),
    colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4 }),
    unitScale(),
    lighting({ std: 0.1 }),
    normalize(imagenetStatistics),
  ];
}

/**
 * Images to evaluate such a network on: the shorter side becomes 8/7 of `size`, then the middle is cut out. Nothing is random.
 *
 * @example const evaluated = await decoded(await imageFolder({ folder: 'imagenet', split: 'val' }), imagenetTestRecipe());
 */
export function imagenetTestRecipe(options: SizeOptions = {}): Recipe {
  const { size = 224 } = checkOptions('imagenetTestRecipe', options, { size: 'optional' });
  return [
    resize({ size: Math.trunc((256 / 224) * size) }),
    centerCrop({ size }),
    unitScale(),
    normalize(imagenetStatistics),
  ];
}

/** The data of a fine-tuning: CIFAR-10's small images, enlarged, or a folder of photographs. */
export type FineTuneData = 'cifar10' | 'folder';

/**
 * Fine-tuning as the authors do it: a random crop, and a flip. On folders of photographs the crop is between square and 1.3 times as wide
 * as high, and ImageNet's statistics normalize.
 *
 * @param size pixels of each side that come out
 * @example loader(train, { epochs: 10, seed }).pipe(augment(fineTuneRecipe('folder', { size: 64 }), { seed }), batch(64))
 */
export function fineTuneRecipe(data: FineTuneData, options: SizeOptions = {}): Recipe {
  const { size = 224 } = checkOptions('fineTuneRecipe', options, { size: 'optional' });
  return [
    randomResizedCrop({ size, scale: [0.08, 1], ratio: data === 'cifar10' ? [3 / 4, 4 / 3] : [1, 1.3] }),
    horizontalFlip({ probability: 0.5 }),
    unitScale(),
    normalize(data === 'cifar10' ? cifar10Statistics : imagenetStatistics),
  ];
}

/**
 * Images to evaluate such a network on: the whole image at `size` × `size`, whatever its shape. Nothing is random.
 *
 * @example const evaluated = await decoded(await imageFolder({ folder: 'flowers', split: 'test' }), fineTuneTestRecipe('folder', { size: 64 }));
 */
export function fineTuneTestRecipe(data: FineTuneData, options: SizeOptions = {}): Recipe {
  const { size = 224 } = checkOptions('fineTuneTestRecipe', options, { size: 'optional' });
  return [
    resize({ size: [size, size] }),
    unitScale(),
    normalize(data === 'cifar10' ? cifar10Statistics : imagenetStatistics),
  ];
}

/**
 * The two views of SimCLR as the authors train it on CIFAR-10: both alike, always blurred with 3 × 3 taps, in [0, 1] without
 * normalization.
 *
 * @param size pixels of each side that come out; @param strength of the color jitter, as a part of the authors'
 * @example loader(train, { epochs: 1000, seed }).pipe(views(simclrRecipes({ strength: 0.5 }), { seed }), batch(512, { partial: 'drop' }))
 */
export function simclrRecipes(options: SizeOptions & { readonly strength?: number } = {}): readonly [Recipe, Recipe] {
  const { size = 32, strength = 1 } = checkOptions('simclrRecipes', options, {
    size: 'optional',
    strength: 'optional',
  });
  const strong = 0.8 * strength;
  const view: Recipe = [
    randomResizedCrop({ size, scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }),
    horizontalFlip({ probability: 0.5 }),
    colorJitter({ brightness: strong, contrast: strong, saturation: strong, hue: 0.2 * strength, probability: 0.8 }),
    randomGrayscale({ probability: 0.2 }),
    gaussianBlur({ sigma: [0.1, 2], kernel: 2 * Math.floor(Math.floor(size / 10) / 2) + 1 }),
    unitScale(),
  ];
  return [view, view];
}

/**
 * The two views of Barlow Twins as the authors train it on CIFAR-10: the first always blurred and never solarized, the second
 * seldom blurred and sometimes solarized. Both are normalized with ImageNet's statistics.
 *
 * Differences to the authors' code: the blur is a Gaussian of 13 taps with mirrored edges, where Pillow's is three box blurs.
 *
 * @param size pixels of each side that come out
 * @example loader(train, { epochs: 1000, seed }).pipe(views(barlowRecipes({ size: 32 }), { seed }), batch(1024, { partial: 'drop' }))
 */
export function barlowRecipes(options: SizeOptions = {}): readonly [Recipe, Recipe] {
  const { size = 32 } = checkOptions('barlowRecipes', options, { size: 'optional' });
  return [view(size, 1, 0), view(size, 0.1, 0.2)];
}

const view = (size: number, blurred: number, solarized: number): Recipe => [
  randomResizedCrop({ size, scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }),
  horizontalFlip({ probability: 0.5 }),
  colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1, probability: 0.8 }),
  randomGrayscale({ probability: 0.2 }),
  gaussianBlur({ sigma: [0.1, 2], kernel: 13, probability: blurred }),
  solarize({ threshold: 128, probability: solarized }),
  unitScale(),
  normalize(imagenetStatistics),
];

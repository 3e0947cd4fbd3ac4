import { WeirError } from '../../../flow/errors.js';
import { checkOptions, type OptionKeys } from '../../../flow/options.js';
import type { Random } from '../../../flow/random.js';
import type { Image } from '../../images/image.js';

/** An op as data: its name and options. A recipe is a list of them, and crosses to worker threads as it is. */
export interface OpData {
  readonly op: string;
}

/** Shape of a sample, [height, width, channels] for images; an extent that differs from sample to sample is undefined. */
export type OpenShape = readonly (number | undefined)[];

/** Changes one sample in place. `random()` starts this op's own random numbers for this sample, epoch and view. */
export type Apply<Values = Float32Array> = (values: Values, random: () => Random) => void;

/** Each value depends on itself and its channel alone, and on nothing random: too cheap for a worker thread. */
export interface LightOp<O extends OpData> {
  readonly kind: 'light';
  prepare(op: O, shape: readonly number[]): Apply;
}

/** Values change places, or zeros come in; bytes stay bytes. */
export interface MovingOp<O extends OpData> {
  readonly kind: 'moving';
  prepare(op: O, shape: readonly number[]): Apply<Uint8Array | Float32Array>;
}

/** Bytes 0 to 255 become other bytes, rounded as torchvision rounds tensors of uint8. */
export interface PixelOp<O extends OpData> {
  readonly kind: 'pixels';
  prepare(op: O, shape: readonly number[]): Apply<Uint8Array>;
}

/** An image of any size becomes one of another size. */
export interface ResizingOp<O extends OpData> {
  readonly kind: 'resizing';
  prepare(op: O, shape: OpenShape): Resizing;
}

export interface Resizing {
  /** Shape of the result; an extent is undefined where it depends on one that is. */
  readonly shape: OpenShape;
  /** @returns memory of the op's own, good until the next call; later ops may change it in place */
  apply(image: Image, random: () => Random): Image;
}

/** Anything else, on floats. */
export interface FreeOp<O extends OpData> {
  readonly kind: 'free';
  prepare(op: O, shape: readonly number[]): Apply;
}

/**
 * The meaning of an op. `prepare` checks the options against the shape of a sample, and prepares for many samples. `defineOp` makes an op of it.
 *
 * Values are those of one sample, of the shape's size: bytes 0 to 255, or float32. They belong to the renderer, and are changed in place. An
 * error that `prepare` throws names the options; `augment` adds the op and its recipe.
 *
 * @example
 * const darker: OpDefinition<OpData & { readonly factor: number }> = {
 *   kind: 'pixels',
 *   prepare: ({ factor }) => (values) => {
 *     for (let i = 0; i < values.length; i++) values[i] = Math.round(values[i]! * factor);
 *   },
 * };
 */
export type OpDefinition<O extends OpData> = LightOp<O> | MovingOp<O> | PixelOp<O> | ResizingOp<O> | FreeOp<O>;

/** An op as a recipe has it: its name, and what was made of its options. */
export type OpOf<Name extends string, Options> = { readonly op: Name } & Readonly<Options>;

/** What a user calls to put an op into a recipe. It carries the op's name and definition, for the registry in `index.ts`. */
export interface OpBuilder<Name extends string, Options, Given extends readonly unknown[]> {
  (...given: Given): OpOf<Name, Options>;
  readonly op: Name;
  readonly definition: OpDefinition<OpOf<Name, Options>>;
}

/** The keys of the options, which are the first argument of a builder. */
type KeysOf<Given extends readonly unknown[]> = [Given[0]] extends [undefined]
  ? Record<never, never>
  : OptionKeys<Exclude<Given[0], undefined>>;

/**
 * Makes the builder of an op. With a line in `index.ts`, recipes know the op.
 *
 * @param name in recipes, errors and the record of a run; the op's random numbers are keyed by it
 * @param keys of the options that a user gives
 * @param options fills in defaults. What it returns is plain data, for it crosses to worker threads.
 */
export function op<Name extends string, Options extends object, Given extends readonly unknown[]>(
  name: Name,
  keys: KeysOf<Given>,
  options: (...given: Given) => Options,
  definition: OpDefinition<OpOf<Name, Options>>,
): OpBuilder<Name, Options, Given> {
  const build = (...given: Given): OpOf<Name, Options> => {
    checkOptions<object>(name, given[0] ?? {}, keys);
    return { op: name, ...options(...given) };
  };
  return Object.assign(build, { op: name, definition });
}

/**
 * Height, width and channels of a sample that is an image, for an op that needs one.
 *
 * @example const [height, width, channels] = imageShape('mosaic', [32, 32, 3]);
 */
export function imageShape(op: string, shape: readonly number[]): [height: number, width: number, channels: number];
export function imageShape(
  op: string,
  shape: OpenShape,
): [height: number | undefined, width: number | undefined, channels: number];
export function imageShape(op: string, shape: OpenShape) {
  const [height, width, channels] = shape;
  if (shape.length !== 3 || channels === undefined) {
    throw new WeirError(
      `op '${op}' needs images of [height, width, channels], but the samples are [${shape.join(', ')}]`,
      'take it out of the recipe, or give a data set of images',
    );
  }
  return [height, width, channels];
}

/** Channels of an image for an op on colors: three, or one that is gray. */
export function colorShape(op: string, shape: readonly number[]): [height: number, width: number, channels: 1 | 3] {
  const [height, width, channels] = imageShape(op, shape);
  if (channels !== 1 && channels !== 3) {
    throw new WeirError(
      `op '${op}' needs images of 3 channels (red, green, blue) or 1, but the samples have ${channels}`,
      'take it out of the recipe',
    );
  }
  return [height, width, channels];
}

/** The number of channels of a sample: the last extent of an image [height, width, channels], else 1. */
export const channels = (shape: readonly number[]): number => (shape.length === 3 ? shape[2]! : 1);

/** The range of a number that is drawn uniformly. */
export type Range = readonly [least: number, most: number];

/** Refuses a probability outside of 0 to 1. */
export function checkProbability(op: string, probability: number): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw new WeirError(`op '${op}' has probability ${probability}`, 'give a number from 0 to 1');
  }
}

/** Height and width in pixels; one number where both are the same. */
export type Size = number | readonly [height: number, width: number];

/** Refuses a size that is no whole number of pixels, or no pair of them. */
export function checkSize(op: string, size: Size): void {
  const extents = typeof size === 'number' ? [size] : size;
  if (
    !(
      Array.isArray(extents) &&
      extents.length <= 2 &&
      extents.every((extent) => Number.isInteger(extent) && extent > 0)
    )
  ) {
    throw new WeirError(
      `op '${op}' has size ${JSON.stringify(size)}`,
      'give a whole number of pixels from 1 on, or [height, width]',
    );
  }
}

/** Height and width of a size that was checked. */
export const bothExtents = (size: Size): readonly [height: number, width: number] =>
  typeof size === 'number' ? [size, size] : size;

/** Refuses a range that is not two ascending numbers inside [least, most]. */
export function checkRange(op: string, key: string, range: Range, least: number, most: number, remedy: string): void {
  const [from, to] = range;
  if (!(range.length === 2 && least <= from && from <= to && to <= most && Number.isFinite(to))) {
    throw new WeirError(`op '${op}' has ${key} ${JSON.stringify(range)}`, remedy);
  }
}

import { WeirError } from '../../flow/errors.js';
import { type AnyDataset, type Dataset, type ImageDataset, sampleLength, unfilled } from '../dataset.js';
import type { Image } from '../images/image.js';
import { beginImage, type Images, nameOf } from '../images/reader.js';
import { compileRecipe, type Rendering } from './compiler.js';
import { channels } from './ops/op.js';
import type { Recipe } from './recipes.js';

export interface RenderKey {
  readonly seed: number;
  /** From 1 on. */
  readonly epoch: number;
  /** Number of the rendering, where a method compares several of one sample in one epoch; 0 by default. */
  readonly view?: number | undefined;
}

export type Pixels = Pick<Dataset, 'name' | 'sampleShape' | 'values' | 'images'>;

/** Samples in memory, or images outside of it. */
type AnyPixels = Pick<AnyDataset, 'sampleShape' | 'values'>;

/**
 * The samples at `indices` after the recipe: [indices, ...outShape], the shape that the recipe makes of `sampleShape`.
 *
 * A function of its arguments alone, so it gives the same bits on any thread.
 *
 * @param before is called for each sample, with its position in `indices`, before it is rendered
 */
export const render = (
  data: Pixels,
  indices: Uint32Array,
  recipe: Recipe,
  key: RenderKey,
  before?: (position: number) => void,
): Float32Array => renderViews(data, indices, [recipe], key, before);

/**
 * The samples at `indices` after each of several recipes, the renderings of a sample one behind another:
 * [indices, recipes, ...outShape]. The first recipe is view `key.view`, the next one `key.view + 1`.
 */
export function renderViews(
  data: Pixels,
  indices: Uint32Array,
  recipes: readonly Recipe[],
  key: RenderKey,
  before?: (position: number) => void,
): Float32Array {
  const { seed, epoch, view: first = 0 } = key;
  const { values, sampleShape } = data;
  const renderings = compileRecipes(data, recipes);
  const { length } = renderings[0]!;
  const stored = sampleLength(data);
  const out = unfilled(indices.length * recipes.length * length);
  const [height, width] = sampleShape.length === 3 ? [sampleShape[0]!, sampleShape[1]!] : [1, 1];
  const size = { height, width, channels: channels(sampleShape) };

  for (let position = 0, at = 0; position < indices.length; position++) {
    const index = indices[position]!;
    let rendering: Rendering | undefined;
    try {
      before?.(position);
      const sample =
        values instanceof Uint8Array
          ? { ...size, values: values.subarray(index * stored, (index + 1) * stored) }
          : values.subarray(index * stored, (index + 1) * stored);
      for (let v = 0; v < renderings.length; v++, at += length) {
        rendering = renderings[v]!;
        rendering.apply(sample, { seed, epoch, index, view: first + v }, out.subarray(at, at + length));
      }
    } catch (cause) {
      throw new WeirError(
        `${rendering?.doing ?? 'reading'} failed on sample ${index} of '${data.name}' in epoch ${epoch}: ${(cause as Error).message}`,
        'look at that sample, or leave the op out of the recipe',
        { cause },
      );
    }
  }
  return out;
}

/** The shape of a rendered sample; with `views`, the number of recipes comes before it. */
export function renderedShape(data: AnyPixels, recipes: readonly Recipe[], views: boolean): readonly number[] {
  const { outShape } = compileRecipes(data, recipes)[0]!;
  return views ? [recipes.length, ...outShape] : outShape;
}

/** Renderings that were compiled in this thread, by recipes and shape. A run has fewer than the limit. */
const compiledRecipes = new Map<string, Rendering[]>();
const MOST_COMPILED = 16;

/**
 * Compiles each recipe for the samples, and checks that all give one shape. The result is stored for the next block, for compiling takes as
 * long as rendering several images.
 */
export function compileRecipes({ sampleShape, values }: AnyPixels, recipes: readonly Recipe[]): Rendering[] {
  const bytes = !(values instanceof Float32Array);
  const key = JSON.stringify([recipes, sampleShape, bytes]);
  let renderings = compiledRecipes.get(key);
  if (renderings === undefined) {
    const open = sampleShape.map((extent) => extent || undefined); // 0 is an extent that varies
    renderings = recipes.map((recipe) => compileRecipe(recipe, open, bytes));
    checkShapes(renderings);
    if (compiledRecipes.size >= MOST_COMPILED) compiledRecipes.clear();
    compiledRecipes.set(key, renderings);
  }
  return renderings;
}

function checkShapes(renderings: readonly Rendering[]): void {
  const shapes = renderings.map(({ outShape }) => `[${outShape.join(', ')}]`);
  const other = shapes.findIndex((shape) => shape !== shapes[0]);
  if (other > 0) {
    throw new WeirError(
      `view 0 has the shape ${shapes[0]}, but view ${other} ${shapes[other]}`,
      'give all recipes the same size',
    );
  }
}

export type EncodedPixels = Pick<ImageDataset, 'name' | 'sampleShape' | 'images' | 'values'>;

/**
 * `renderViews` of images outside of memory: each is read, decoded once, and rendered by every recipe. An image that this thread does not
 * decode itself is decoded on a thread of libuv while the image before it is rendered.
 *
 * A function of its arguments and the files alone. Calls in one thread wait for one another, for they share the memory that images are read into.
 *
 * @param before is called for each sample, with its position in `indices`, before it is rendered
 * @throws {WeirError} that names the image
 */
export function renderImages(...given: Parameters<typeof renderEncoded>): Promise<Float32Array> {
  const result = lastRender.then(() => renderEncoded(...given));
  lastRender = result.catch(() => undefined);
  return result;
}

let lastRender: Promise<unknown> = Promise.resolve();

async function renderEncoded(
  data: EncodedPixels,
  indices: Uint32Array,
  recipes: readonly Recipe[],
  key: RenderKey,
  before?: (position: number) => void,
): Promise<Float32Array> {
  const { seed, epoch, view: first = 0 } = key;
  const { images } = data;
  const renderings = compileRecipes(data, recipes);
  const { length } = renderings[0]!;
  const out = unfilled(indices.length * recipes.length * length);
  let at = 0;
  let upcoming = beginNext(images, indices[0]);

  for (let position = 0; position < indices.length; position++) {
    const index = indices[position]!;
    before?.(position);
    const image = await (await upcoming!)();
    upcoming = beginNext(images, indices[position + 1]);
    let rendering: Rendering | undefined;
    try {
      for (let v = 0; v < renderings.length; v++, at += length) {
        rendering = renderings[v]!;
        rendering.apply(image, { seed, epoch, index, view: first + v }, out.subarray(at, at + length));
      }
    } catch (cause) {
      throw new WeirError(
        `${rendering?.doing} failed on ${nameOf(images, index)}, sample ${index} of '${data.name}', in epoch ${epoch}: ${(cause as Error).message}`,
        'look at that image, or leave the op out of the recipe',
        { cause },
      );
    }
  }
  return out;
}

/** Begins to read the image at an index, if there is one. Its error is thrown when the image is asked for. */
function beginNext(images: Images, index: number | undefined): Promise<() => Promise<Image>> | undefined {
  if (index === undefined) return undefined;
  const image = beginImage(images, index);
  image.catch(() => undefined);
  return image;
}

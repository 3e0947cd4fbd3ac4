import { WeirError } from '../../flow/errors.js';
import type { ImageDataset } from '../feed-dataset.js';
import type { Image } from '../images/augment-image.js';
import { type Images, nameOf } from '../images/images.js';
import { beginImage } from '../images/reader.js';
import { unfilled } from '../unfilled.js';
import type { Rendering } from './compiler.js';
import type { Recipe } from './recipe.js';
import { compileRecipes, type RenderKey } from './render.js';

export type EncodedPixels = Pick<ImageDataset, 'name' | 'sampleShape' | 'images' | 'values'>;

/**
 * What `renderViews` gives, of images outside of memory: each is read, decoded once, and rendered by every recipe. What this
 * thread does not decode itself is decoded while the one before it is rendered, on a thread of libuv's.
 *
 * A function of its arguments and the files alone. Calls in one thread wait for one another, for they share the memory that is read into.
 *
 * @param before is told of each sample, by its place in `indices`, before it is rendered
 * @throws {WeirError} that names the image
 */
export function renderImages(...given: Parameters<typeof renderEncoded>): Promise<Float32Array> {
  const result = lastRendering.then(() => renderEncoded(...given));
  lastRendering = result.catch(() => undefined);
  return result;
}

let lastRendering: Promise<unknown> = Promise.resolve();

async function renderEncoded(
  data: EncodedPixels,
  indices: Uint32Array,
  recipes: readonly Recipe[],
  key: RenderKey,
  before?: (place: number) => void,
): Promise<Float32Array> {
  const { seed, epoch, view: first = 0 } = key;
  const { images } = data;
  const renderings = compileRecipes(data, recipes);
  const { length } = renderings[0]!;
  const out = unfilled(indices.length * recipes.length * length);
  let at = 0;
  let upcoming = begun(images, indices[0]);

  for (let place = 0; place < indices.length; place++) {
    const index = indices[place]!;
    before?.(place);
    const image = await (await upcoming!)();
    upcoming = begun(images, indices[place + 1]);
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

/** An image on its way, if there is one; why it cannot be had is thrown when its turn comes. */
function begun(images: Images, index: number | undefined): Promise<() => Promise<Image>> | undefined {
  if (index === undefined) return undefined;
  const image = beginImage(images, index);
  image.catch(() => undefined);
  return image;
}

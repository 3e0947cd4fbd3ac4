import type { Flow } from '../flow/flow.js';
import { listen } from '../flow/node.js';

/** A few samples as small pictures: bytes, rows of pixels, one or three channels side by side. Plain data. */
export interface Pictures {
  readonly edge: string;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: readonly Uint8Array[];
  readonly labels: readonly number[];
}

const most = 12; // samples
const longestSide = 96; // pixels; larger ones are thinned

/** What an item must have to hold pictures. */
interface Samples {
  readonly sampleShape: readonly number[];
  readonly values: Float32Array | Uint8Array;
  readonly labels?: ArrayLike<number>;
}

/**
 * Hands over the first few samples of the next item that comes to the training step, as pictures. One item is looked at, and
 * nothing stays behind. Where the samples are no images, nothing comes.
 *
 * @returns what ends the waiting
 */
export function nextPictures(flow: Flow, give: (pictures: Pictures) => void): () => void {
  const serial = flow.nodes.find(({ kind }) => kind === 'serial');
  const before = flow.nodes.find((node) => serial !== undefined && node.downstream.has(serial));
  if (before === undefined) return () => undefined;
  const end = listen(before, (item) => {
    end();
    const pictures = picturesOf(before.name, item);
    if (pictures !== undefined) give(pictures);
  });
  return end;
}

/** The pictures in an item, its views one after another; undefined where it has none. */
function picturesOf(edge: string, item: unknown): Pictures | undefined {
  const { sampleShape, values, labels } = (item ?? {}) as Partial<Samples>;
  if (!Array.isArray(sampleShape) || !(values instanceof Float32Array || values instanceof Uint8Array))
    return undefined;
  const image = imageShape(sampleShape);
  if (image === undefined) return undefined;
  const { height, width, channels, views } = image;
  const length = height * width * channels;
  const count = Math.min(most, Math.floor(values.length / length));
  const stride = Math.max(1, Math.ceil(Math.max(height, width) / longestSide));
  const pixels = Array.from({ length: count }, (_, i) =>
    bytes(values.subarray(i * length, (i + 1) * length), image, stride),
  );
  return {
    edge,
    channels,
    pixels,
    width: Math.ceil(width / stride),
    height: Math.ceil(height / stride),
    labels: Array.from({ length: count }, (_, i) => Number(labels?.[Math.floor(i / views)] ?? -1)),
  };
}

interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly views: number;
}

function imageShape(shape: readonly number[]): Shape | undefined {
  const [last] = shape.slice(-1);
  const colored = (last === 1 || last === 3) && shape.length >= 3;
  const rest = colored ? shape.slice(0, -1) : shape;
  if (rest.length < 2 || rest.length > 3) return undefined;
  const [height, width] = rest.slice(-2) as [number, number];
  if (height < 4 || width < 4 || height * width > 2 ** 22) return undefined;
  return { height, width, channels: colored ? (last as 1 | 3) : 1, views: rest.length === 3 ? rest[0]! : 1 };
}

/** Stretched from the least value to the largest: what a recipe's normalizing did is not known here. */
function bytes(values: Float32Array | Uint8Array, { height, width, channels }: Shape, stride: number): Uint8Array {
  let least = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  const scale = largest > least ? 255 / (largest - least) : 0;
  const out = new Uint8Array(Math.ceil(height / stride) * Math.ceil(width / stride) * channels);
  let at = 0;
  for (let y = 0; y < height; y += stride) {
    for (let x = 0; x < width; x += stride) {
      for (let c = 0; c < channels; c++) out[at++] = (values[(y * width + x) * channels + c]! - least) * scale;
    }
  }
  return out;
}

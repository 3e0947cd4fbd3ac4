import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { keyed, type Random } from '../../flow/random.js';
import type { Image } from '../images/image.js';
import { lookUpFloats } from './kernels/look-up.js';
import { type Apply, channels as channelsOf, type LightOp, type OpData, type OpenShape } from './ops/op.js';
import { definitionOf, type Op, type Recipe } from './recipe.js';

/** What the random numbers of a sample depend on. */
export interface SampleKey {
  readonly seed: number;
  /** From 1 on. */
  readonly epoch: number;
  /** Which sample of the data set it is. */
  readonly index: number;
  /** Which of several renderings of one sample in one epoch: 0 unless a method compares views. */
  readonly view: number;
}

/** A recipe made ready for samples of one shape: for many samples, one after another. Its memory is used again for each. */
export interface Rendering {
  /** The shape that comes out. */
  readonly outShape: readonly number[];
  /** The number of values that come out. */
  readonly length: number;
  /** The op that `apply` is at, or was at when it threw: for an error's message. */
  readonly doing: string;
  /**
   * Renders one sample into `out`, which holds `length` values. A function of its arguments alone: each op has random numbers of
   * its own, keyed by (seed, op, epoch, index, view) and by which of the recipe's ops of that name it is.
   *
   * @param sample of the shape that was compiled for; height and width may be any where that left them open
   */
  apply(sample: Image | Float32Array, key: SampleKey, out: Float32Array): void;
}

/**
 * Checks a recipe against the samples it is for, and makes it ready.
 *
 * Bytes stay bytes up to the first op that needs floats; a run of light ops that then comes is one table of 256 for each channel.
 *
 * @param inputShape [height, width, channels] for images; height and width are undefined where they differ from sample to
 * sample: an op must then come first that brings all to one size
 * @param bytes whether the samples are bytes, as `Image` has them, or floats
 * @throws {WeirError} that names the op, its option and the remedy
 * @example
 * const rendering = compileRecipe(imagenetRecipe(), [undefined, undefined, 3]);
 * rendering.apply(image, { seed: 0, epoch: 1, index: 7, view: 0 }, out.subarray(0, rendering.length));
 */
export function compileRecipe(recipe: Recipe, inputShape: OpenShape, bytes = true): Rendering {
  const rendering = new Compiled(recipe, inputShape);
  if (bytes) rendering.takeBytes();
  rendering.takeFloats();
  return rendering;
}

type OnImage = (image: Image, random: () => Random) => Image;

interface Step<Run> {
  readonly run: Run;
  readonly name: string;
  readonly random: () => Random;
}

class Compiled implements Rendering {
  doing = 'reading';
  private shape: OpenShape;
  /** Ops that are compiled already. */
  private done = 0;
  private readonly onBytes: Step<OnImage>[] = [];
  private table = Float32Array.from({ length: 256 }, (_, x) => x);
  private readonly onFloats: Step<Apply>[] = [];
  private readonly place = { height: 1, width: 1, channels: 1, values: new Uint8Array(0) };
  private key: SampleKey = { seed: 0, epoch: 1, index: 0, view: 0 };

  constructor(
    private readonly recipe: Recipe,
    inputShape: OpenShape,
  ) {
    this.shape = inputShape;
  }

  get outShape(): readonly number[] {
    return this.shape as readonly number[];
  }

  get length(): number {
    return sizeOf(this.outShape);
  }

  apply(sample: Image | Float32Array, key: SampleKey, out: Float32Array): void {
    this.key = key;
    if (sample instanceof Float32Array) out.set(sample);
    else {
      let image = sample;
      for (const { run, name, random } of this.onBytes) {
        this.doing = name;
        image = run(image, random);
      }
      lookUpFloats(image.values, this.length, this.table, out);
    }
    for (const { run, name, random } of this.onFloats) {
      this.doing = name;
      run(out, random);
    }
  }

  /** Compiles the ops that work on bytes, and the light ones behind them. */
  takeBytes(): void {
    for (; this.done < this.recipe.length; this.done++) {
      const op = this.recipe[this.done]!;
      const definition = definitionOf(op);
      if (definition.kind === 'resizing') {
        const { shape, apply } = definition.prepare(op, this.shape);
        this.shape = shape;
        this.onBytes.push(this.step(apply));
      } else if (definition.kind === 'moving' || definition.kind === 'pixels') {
        const apply = definition.prepare(op, this.known());
        if (this.onBytes.length === 0) this.onBytes.push({ ...this.step(this.copy()), name: 'reading' });
        this.onBytes.push(
          this.step((image, random) => {
            apply(image.values, random);
            return image;
          }),
        );
      } else break;
    }
    const shape = this.known();
    const from = this.done;
    while (this.done < this.recipe.length && definitionOf(this.recipe[this.done]!).kind === 'light') this.done++;
    if (this.done > from) this.table = tableOf(this.recipe.slice(from, this.done), channelsOf(shape));
  }

  /** Compiles what is left, on floats. */
  takeFloats(): void {
    const shape = this.known();
    for (; this.done < this.recipe.length; this.done++) {
      const op = this.recipe[this.done]!;
      const definition = definitionOf(op);
      if (definition.kind === 'resizing' || definition.kind === 'pixels') throw this.needsBytes(op);
      this.onFloats.push(this.step(definition.prepare(op, shape)));
    }
  }

  private step<Run>(run: Run): Step<Run> {
    const { op } = this.recipe[this.done]!;
    const occurrence = this.recipe.slice(0, this.done).filter((earlier) => earlier.op === op).length;
    const purpose = `augment/${op}`;
    const random = (): Random => {
      const { seed, epoch, index, view } = this.key;
      return keyed(seed, purpose, epoch, index, view, occurrence);
    };
    return { run, name: `op '${op}'`, random };
  }

  /** Nothing may change a sample where the data set keeps it. */
  private copy(): OnImage {
    const { length, place } = this;
    place.values = new Uint8Array(length);
    return (image) => {
      place.height = image.height;
      place.width = image.width;
      place.channels = image.channels;
      place.values.set(image.values);
      return place;
    };
  }

  private known(): readonly number[] {
    if (!this.shape.includes(undefined)) return this.shape as readonly number[];
    const next = this.recipe[this.done];
    throw new WeirError(
      `images of different sizes come to ${next ? `op '${next.op}'` : "the recipe's end"}`,
      'put an op before it that brings all to one size: randomResizedCrop, or resize and centerCrop',
    );
  }

  private needsBytes(op: Op): WeirError {
    const before = this.recipe[this.done - 1];
    return new WeirError(
      `op '${op.op}' works on bytes, but what comes to it are floats`,
      before && definitionOf(before).kind !== 'moving'
        ? `put it before op '${before.op}'`
        : 'take it out of the recipe, or give a data set of bytes',
    );
  }
}

/** What a run of light ops makes of each of the 256 bytes, in each of `count` channels: [count, 256]. */
function tableOf(lights: Recipe, count: number): Float32Array<ArrayBuffer> {
  const values = Float32Array.from({ length: 256 * count }, (_, i) => Math.floor(i / count));
  const none = (): Random => keyed(0, 'augment/light');
  for (const op of lights) (definitionOf(op) as LightOp<OpData>).prepare(op, [256, 1, count])(values, none);
  return values.map((_, i) => values[(i % 256) * count + (i >> 8)]!);
}

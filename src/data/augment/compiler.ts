import { sizeOf } from '../../flow/data.js';
import { WeirError } from '../../flow/errors.js';
import { keyed, type Random } from '../../flow/random.js';
import type { Image } from '../images/image.js';
import { lookUpFloats } from './kernels/look-up.js';
import { type Apply, channels as channelsOf, type LightOp, type OpData, type OpenShape } from './ops/op.js';
import { definitionOf, type Recipe } from './recipes.js';

/** The key of a sample's random numbers. */
export interface SampleKey {
  readonly seed: number;
  /** From 1 on. */
  readonly epoch: number;
  /** Index of the sample in the data set. */
  readonly index: number;
  /** Number of the rendering, where a method compares several of one sample in one epoch; else 0. */
  readonly view: number;
}

/** A recipe that is compiled for samples of one shape. It renders one sample after another, and uses its memory again for each. */
export interface Rendering {
  /** The shape that comes out. */
  readonly outShape: readonly number[];
  /** The number of values that come out. */
  readonly length: number;
  /** The op that `apply` runs, or ran when it threw: for the message of an error. */
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
 * Checks a recipe against the shape of samples, and compiles it.
 *
 * Bytes stay bytes up to the first op that needs floats. The light ops that follow become one table of 256 floats for each channel.
 *
 * @param inputShape [height, width, channels] for images. Height and width are undefined where they differ from sample to
 * sample; an op that brings all to one size must then come first
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
  /** Number of ops that are compiled. */
  private done = 0;
  private readonly onBytes: Step<OnImage>[] = [];
  private table = Float32Array.from({ length: 256 }, (_, x) => x);
  private readonly onFloats: Step<Apply>[] = [];
  private readonly scratch = { height: 1, width: 1, channels: 1, values: new Uint8Array(0) };
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

  /** Compiles the remaining ops, which work on floats. */
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

  /** Ops change a copy, for the data set's own memory must not change. */
  private copy(): OnImage {
    const { length, scratch } = this;
    scratch.values = new Uint8Array(length);
    return (image) => {
      scratch.height = image.height;
      scratch.width = image.width;
      scratch.channels = image.channels;
      scratch.values.set(image.values);
      return scratch;
    };
  }

  private known(): readonly number[] {
    if (!this.shape.includes(undefined)) return this.shape as readonly number[];
    const next = this.recipe[this.done];
    throw new WeirError(
      `images of different sizes reach ${next ? `op '${next.op}'` : "the recipe's end"}`,
      'put randomResizedCrop before it, or resize and centerCrop, so that all have one size',
    );
  }

  private needsBytes(op: OpData): WeirError {
    const before = this.recipe[this.done - 1];
    return new WeirError(
      `op '${op.op}' works on bytes, but it gets floats`,
      before && definitionOf(before).kind !== 'moving'
        ? `put it before op '${before.op}'`
        : 'take it out of the recipe, or give a data set of bytes',
    );
  }
}

/** The results of consecutive light ops for each of the 256 bytes, in each of `count` channels: [count, 256]. */
function tableOf(lights: Recipe, count: number): Float32Array<ArrayBuffer> {
  const values = Float32Array.from({ length: 256 * count }, (_, i) => Math.floor(i / count));
  const none = (): Random => keyed(0, 'augment/light');
  for (const op of lights) (definitionOf(op) as LightOp<OpData>).prepare(op, [256, 1, count])(values, none);
  return values.map((_, i) => values[(i % 256) * count + (i >> 8)]!);
}

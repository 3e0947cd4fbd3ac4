import { WeirError } from '../../core/errors.js';
import { keyed } from '../../core/seed.js';
import { type Dataset, sampleLength } from '../dataset.js';
import { channels } from './op/channels.js';
import { isLight, prepare, type Recipe } from './recipe.js';

export interface RenderKey {
  readonly seed: number;
  /** From 1 on. */
  readonly epoch: number;
  /** Which of several renderings of one sample in one epoch: 0 unless a method compares views. */
  readonly view?: number | undefined;
}

export type Pixels = Pick<Dataset, 'name' | 'sampleShape' | 'values'>;

/**
 * The samples at `indices` after the recipe: [indices, ...sampleShape].
 *
 * A function of its arguments alone, so it gives the same bits on whatever thread. Each op of each sample has random numbers
 * of its own, keyed by (seed, op, epoch, index, view), and by which of the recipe's ops of that name it is.
 *
 * @param before is told of each sample, by its place in `indices`, before work on it begins
 */
export function render(
  data: Pixels,
  indices: Uint32Array,
  recipe: Recipe,
  key: RenderKey,
  before?: (place: number) => void,
): Float32Array {
  const { seed, epoch, view = 0 } = key;
  const length = sampleLength(data);
  const out = new Float32Array(indices.length * length);
  const { load, rest } = loader(data, recipe);
  const steps = rest.map((op, i) => ({
    apply: prepare(op, data.sampleShape),
    op: op.op,
    occurrence: rest.slice(0, i).filter((earlier) => earlier.op === op.op).length,
  }));

  for (let place = 0; place < indices.length; place++) {
    const index = indices[place]!;
    let doing = 'reading';
    try {
      before?.(place);
      const to = place * length;
      load(index * length, out, to, length);
      if (steps.length === 0) continue;
      const values = out.subarray(to, to + length);
      for (const { apply, op, occurrence } of steps) {
        doing = `op '${op}'`;
        apply(values, () => keyed(seed, `augment/${op}`, epoch, index, view, occurrence));
      }
    } catch (cause) {
      throw new WeirError(
        `${doing} failed on sample ${index} of '${data.name}' in epoch ${epoch}: ${(cause as Error).message}`,
        'look at that sample, or leave the op out of the recipe',
        { cause },
      );
    }
  }
  return out;
}

type Load = (from: number, out: Float32Array, to: number, length: number) => void;

/**
 * How values come out of the data set, and what of the recipe is still to be done then.
 *
 * The light ops that a recipe starts with, on bytes, are one look into a table of 256 values a channel, made by those ops.
 */
function loader({ values, sampleShape }: Pixels, recipe: Recipe): { load: Load; rest: Recipe } {
  if (!(values instanceof Uint8Array)) {
    return { load: (from, out, to, length) => out.set(values.subarray(from, from + length), to), rest: recipe };
  }
  const heavy = recipe.findIndex((op) => !isLight(op));
  const lights = heavy < 0 ? recipe : recipe.slice(0, heavy);
  const rest = recipe.slice(lights.length);
  const count = channels(sampleShape);
  const table = Float32Array.from({ length: 256 * count }, (_, i) => Math.floor(i / count));
  for (const op of lights) prepare(op, [256, 1, count])(table, () => keyed(0, 'augment/light'));
  if (count === 1) {
    return {
      load(from, out, to, length) {
        for (let i = 0; i < length; i++) out[to + i] = table[values[from + i]!]!;
      },
      rest,
    };
  }
  return {
    load(from, out, to, length) {
      for (let i = 0; i < length; i += count) {
        for (let c = 0; c < count; c++) out[to + i + c] = table[values[from + i + c]! * count + c]!;
      }
    },
    rest,
  };
}

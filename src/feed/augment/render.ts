import { WeirError } from '../../core/errors.js';
import { keyed } from '../../core/seed.js';
import { type Dataset, sampleLength } from '../dataset.js';
import { channels } from './op/channels.js';
import type { Apply } from './op/op.js';
import { kindOf, prepare, type Recipe } from './recipe.js';

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
  const { first, steps } = compile(data, recipe);

  for (let place = 0; place < indices.length; place++) {
    const index = indices[place]!;
    let doing = 'reading';
    try {
      before?.(place);
      const stored = data.values.subarray(index * length, (index + 1) * length);
      const values = out.subarray(place * length, (place + 1) * length);
      if (first) lookUp(first, stored, values);
      else values.set(stored);
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

/** What a run of light ops makes of each of the 256 bytes, in each of `count` channels: [256, count]. */
interface Table {
  readonly values: Float32Array;
  readonly count: number;
}

interface Step {
  readonly apply: Apply;
  readonly op: string;
  /** Which of the recipe's ops of that name, so that two of them draw different numbers. */
  readonly occurrence: number;
}

/** The recipe with each run of light ops that works on bytes made a table; `first` is one that the reading can do. */
function compile({ values, sampleShape }: Pixels, recipe: Recipe): { first: Table | undefined; steps: Step[] } {
  let bytes = values instanceof Uint8Array;
  let first: Table | undefined;
  const steps: Step[] = [];
  for (let i = 0; i < recipe.length; i++) {
    const op = recipe[i]!;
    if (bytes && kindOf(op) === 'light') {
      let end = i + 1;
      while (end < recipe.length && kindOf(recipe[end]!) === 'light') end++;
      const made = table(recipe.slice(i, end), channels(sampleShape));
      if (i === 0) first = made;
      else steps.push({ apply: (sample) => lookUp(made, sample, sample), op: op.op, occurrence: 0 });
      i = end - 1;
    } else {
      const occurrence = recipe.slice(0, i).filter((earlier) => earlier.op === op.op).length;
      steps.push({ apply: prepare(op, sampleShape), op: op.op, occurrence });
    }
    bytes &&= kindOf(op) === 'moving';
  }
  return { first, steps };
}

function table(lights: Recipe, count: number): Table {
  const values = Float32Array.from({ length: 256 * count }, (_, i) => Math.floor(i / count));
  for (const op of lights) prepare(op, [256, 1, count])(values, () => keyed(0, 'augment/light'));
  return { values, count };
}

function lookUp({ values, count }: Table, from: Uint8Array | Float32Array, to: Float32Array): void {
  if (count === 1) {
    for (let i = 0; i < to.length; i++) to[i] = values[from[i]!]!;
    return;
  }
  for (let i = 0, c = 0; i < to.length; i++) {
    to[i] = values[from[i]! * count + c]!;
    if (++c === count) c = 0;
  }
}

import assert from 'node:assert/strict';
import { lastValueFrom, toArray } from 'rxjs';
import { dataset } from '../../data/arrays.js';
import { augment } from '../../data/augment/augment.js';
import { unitScale } from '../../data/augment/ops/normalize.js';
import type { OpData } from '../../data/augment/ops/op.js';
import type { Recipe } from '../../data/augment/recipes.js';
import { render } from '../../data/augment/renderer.js';
import { loader } from '../../data/loader.js';
import { sizeOf } from '../../flow/data.js';
import { checkOptions } from '../../flow/options.js';
import { type PartTest, partTests, same } from './part-test.js';

export interface OpTestOptions {
  /** The op as a recipe takes it, with its options. */
  readonly op: OpData;
  /** Shape of a sample. By default an image of [16, 16, 3]. */
  readonly sampleShape?: readonly number[];
  /** `bytes` are pixels 0 to 255; an op on floats gets them from 0 to 1, behind `unitScale`, with `floats`. By default bytes. */
  readonly on?: 'bytes' | 'floats';
}

/**
 * The rules for an augmentation op: the same bits in 1 and 2 worker threads and in the main thread; a sample's by seed, epoch and index alone, in
 * whatever block it stands; finite values, and the data untouched.
 *
 * @example for (const { name, run } of opTests({ op: randomErasing({ size: 4 }) })) test(name, run)
 */
export function opTests(options: OpTestOptions): PartTest[] {
  const {
    op,
    sampleShape = [16, 16, 3],
    on = 'bytes',
  } = checkOptions('opTests', options, { op: 'required', sampleShape: 'optional', on: 'optional' });
  const recipe: Recipe = (on === 'bytes' ? [op, unitScale()] : [unitScale(), op]) as Recipe;
  const size = 12;
  const all = Uint32Array.from({ length: size }, (_, i) => i);
  const bytes = () => Uint8Array.from({ length: size * sizeOf(sampleShape) }, (_, i) => (i * 37 + (i >> 8)) % 251);
  const samples = () =>
    dataset({ name: 'samples', values: bytes(), labels: new Uint8Array(size), sampleShape, classes: 1 });
  const inMainThread = (indices: Uint32Array, epoch: number) => render(samples(), indices, recipe, { seed: 3, epoch });

  async function inThreads(threads: number): Promise<number[]> {
    const blocks$ = loader(samples(), { epochs: 2, seed: 3, block: 5, shuffle: false });
    const blocks = await lastValueFrom(blocks$.pipe(augment(recipe, { seed: 3, threads }), toArray()));
    return blocks.flatMap(({ values }) => [...values]);
  }

  return partTests({
    async 'any number of threads gives the bits of the main thread'() {
      const expected = [1, 2].flatMap((epoch) => [...inMainThread(all, epoch)]);
      same(await inThreads(2), expected, 'bits by 2 threads'); // one thread takes the samples in the order of the main thread
    },

    'a sample alone has the bits that it has among others'() {
      const whole = inMainThread(all, 1);
      const length = whole.length / size;
      for (const index of all) {
        const alone = inMainThread(Uint32Array.of(index), 1);
        same(alone, whole.slice(index * length, (index + 1) * length), `sample ${index} alone`);
      }
    },

    'values are finite, and those of the data set stay as they were'() {
      const data = samples();
      const made = render(data, all, recipe, { seed: 3, epoch: 1 });
      assert.equal(
        made.find((value) => !Number.isFinite(value)),
        undefined,
        'a value that is no finite number',
      );
      same(data.values, bytes(), 'values of the data set, which are given to read');
    },

    'another seed gives another result, or every seed the same'() {
      const by = (seed: number, epoch: number) => [...render(samples(), all, recipe, { seed, epoch })];
      const random = JSON.stringify(by(3, 1)) !== JSON.stringify(by(4, 1));
      assert.equal(JSON.stringify(by(3, 1)) !== JSON.stringify(by(3, 2)), random, 'epochs differ, as seeds do');
      same(by(3, 1), by(3, 1), 'the same seed and epoch, asked for again');
    },
  });
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { horizontalFlip } from '../../../src/data/augment/ops/horizontal-flip.js';
import { normalize, unitScale } from '../../../src/data/augment/ops/normalize.js';
import { cifar10Statistics, type Recipe } from '../../../src/data/augment/recipes.js';
import { render } from '../../../src/data/augment/renderer.js';
import type { Dataset } from '../../../src/data/dataset.js';
import { cifar10File } from '../../../src/data/datasets/cifar10.js';
import { keyed } from '../../../src/flow/random.js';
import type { TrainStage } from '../../../src/learn/train.js';
import type { TrainState, Update } from '../../../src/learn/update.js';

/** Images a batch. */
const size = 64;

/** 4,000 real images; undefined, and a line that says so, where there are none. */
export function realImages(): Dataset | undefined {
  const shared = process.env.WEIR_SHARED ?? join(import.meta.dirname, '../../../../shared');
  const file = join(shared, 'data/cifar10/lossless_train_4000.bin.gz');
  if (existsSync(file)) return cifar10File(file);
  console.log(`there is no ${file}: set WEIR_SHARED to a folder that holds data/cifar10`);
  return undefined;
}

/** Trains on batches drawn with replacement, flipped at random; the state after the last update belongs to the caller. */
export function trainOn(
  data: Dataset,
  stage: TrainStage,
  updates: number,
  after: (update: Update) => void = () => {},
  scaled: Recipe = [unitScale(), normalize(cifar10Statistics)],
) {
  const random = keyed(0, 'bench/order');
  const recipe = [horizontalFlip(), ...scaled];
  let state: TrainState = stage.start();
  for (let number = 1; number <= updates; number++) {
    const indices = Uint32Array.from({ length: size }, () => random.integer(data.size));
    const values = render(data, indices, recipe, { seed: 0, epoch: number });
    const labels = Uint8Array.from(indices, (index) => data.labels[index]!);
    const at = { position: number * size, epoch: 1, remaining: 1, sampleShape: data.sampleShape };
    const [next, update] = stage.next(state, { ...at, values, labels });
    state = next;
    after(update);
  }
  return state;
}

import { drawJitter, rangesOf } from '../../../../src/data/augment/ops/color.js';
import { drawRegion } from '../../../../src/data/augment/ops/crop.js';
import { barlowRecipes, type Op } from '../../../../src/data/augment/recipes.js';
import { keyed } from '../../../../src/flow/random.js';

/** Prints what the ops of both Barlow views draw for the samples of `chain.json`: see README.md. */
const [seed, epoch, side, samples] = [3, 5, 32, 8];
const draws = barlowRecipes().map((recipe, view) =>
  Array.from({ length: samples }, (_, index) =>
    (recipe as readonly Op[]).flatMap((op): object[] => {
      const random = keyed(seed, `augment/${op.op}`, epoch, index, view, 0);
      if (op.op === 'randomResizedCrop') {
        const region = { top: 0, left: 0, height: 0, width: 0 };
        drawRegion(side, side, op.scale, op.ratio, random, region);
        return [{ op: op.op, ...region }];
      }
      if (!('probability' in op) || random.uniform() >= op.probability) return [];
      if (op.op === 'gaussianBlur') {
        return [{ op: op.op, kernel: op.kernel, sigma: op.sigma[0] + (op.sigma[1] - op.sigma[0]) * random.uniform() }];
      }
      if (op.op !== 'colorJitter') return [{ op: op.op }];
      const drawn = { order: new Uint8Array(4), factors: new Float64Array(4) };
      drawJitter(rangesOf(op), random, drawn);
      return [{ op: op.op, order: [...drawn.order], factors: [...drawn.factors] }];
    }),
  ),
);
console.log(JSON.stringify(draws));

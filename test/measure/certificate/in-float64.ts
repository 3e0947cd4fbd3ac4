import type { Model, Weights } from '../../../src/learn/model/model.js';
import { centerOf, type Dense, denseOf, marginsOn, onBall } from '../../../src/measure/certificate/crown.js';
import { gridLines } from '../../../src/measure/certificate/relaxation.js';

/** A network of dense layers in float64, by which both sides of a distance are checked again. */
export interface InFloat64 {
  readonly network: Dense;
  /** The class with the largest logit, of equal ones the first. */
  classOf(x: ArrayLike<number>): number;
  /** The least margin of the class over the others that plain CROWN proves on the ball about x: at 0 or above the radius is a lower bound. */
  leastMargin(x: ArrayLike<number>, label: number, radius: number): number;
}

/** @throws {Error} for a network that is none of dense layers */
export function inFloat64(model: Model, weights: Weights): InFloat64 {
  const network = denseOf(model, weights);
  if ('unknown' in network) throw new Error(network.unknown);
  const rivalsOf = (label: number) => [...Array(model.classes).keys()].filter((k) => k !== label);
  return {
    network,
    classOf(x) {
      let h: ArrayLike<number> = x;
      network.layers.forEach(({ inputs, outputs, kernel, bias }, l) => {
        const curve = network.curves[l];
        h = Float64Array.from({ length: outputs }, (_, o) => {
          let sum = bias[o]!;
          for (let i = 0; i < inputs; i++) sum += kernel[o * inputs + i]! * h[i]!;
          return curve === undefined ? sum : curve.value(sum);
        });
      });
      const logits = [...(h as Float64Array)];
      return logits.indexOf(Math.max(...logits));
    },
    leastMargin: (x, label, radius) =>
      Math.min(...marginsOn(onBall(network, centerOf(network, x), radius, gridLines), label, rivalsOf(label))),
  };
}

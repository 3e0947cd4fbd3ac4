import * as weir from 'weir-engine';

const { z } = weir;

/** Points of a disk and of the ring about it. Lists of your own numbers take their place. */
function rings(points: number) {
  const golden = Math.PI * (3 - Math.sqrt(5));
  const radii = Array.from({ length: points }, (_, i) => Math.sqrt((i + 0.5) / points));
  return weir.dataset({
    name: 'rings',
    values: radii.flatMap((radius, i) => [radius * Math.cos(i * golden), radius * Math.sin(i * golden)]),
    labels: radii.map((radius) => (radius < 0.7 ? 0 : 1)),
    sampleShape: [2],
    classes: ['disk', 'ring'],
  });
}

/** A test of the network, as `weir.accuracy` emits it. */
interface Tested {
  readonly position: number;
  readonly accuracy: number;
}

/** A stage of your own: the best accuracy so far, beside each. Its state is that number, which a snapshot holds. */
export const best = <T extends Tested>(): weir.Stage<T, T & { readonly best: number }, number> => ({
  name: 'best',
  start: () => 0,
  next(before, tested) {
    const best = Math.max(before, tested.accuracy);
    return [best, { ...tested, best }];
  },
});

export default weir.pipeline({
  name: 'rings',
  title: 'A disk and a ring',
  config: { epochs: z.int().min(1).default(100), points: z.int().min(10).default(200) },

  wire({ config, seed }) {
    const points = rings(config.points);
    const model = weir.mlp([2, 16, 2]);

    const updates$ = weir
      .loader(points, { epochs: config.epochs, seed })
      .pipe(
        weir.augment([], { seed }),
        weir.batch(50),
        weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 2, momentum: 0.9 }), seed }),
      );
    const tests$ = updates$.pipe(weir.every({ epochs: 10 }), weir.accuracy(model, points), weir.stage(best()));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, points, { samples: 10, iterations: 10, box: { min: -1.5, max: 1.5 }, seed }),
    );
    return { updates$, tests$, attacks$ };
  },
});

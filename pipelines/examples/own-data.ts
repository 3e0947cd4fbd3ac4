import * as weir from 'weir-engine';

const { z } = weir;

/** Points of a disk of that radius and of the ring about it, from lists of numbers. */
export function rings(points: number, disk = 0.7) {
  const golden = Math.PI * (3 - Math.sqrt(5));
  const radii = Array.from({ length: points }, (_, i) => Math.sqrt((i + 0.5) / points));
  return weir.dataset({
    name: 'rings',
    values: radii.flatMap((radius, i) => [radius * Math.cos(i * golden), radius * Math.sin(i * golden)]),
    labels: radii.map((radius) => (radius < disk ? 0 : 1)),
    sampleShape: [2],
    classes: ['disk', 'ring'],
  });
}

/**
 * Data of your own. The attack has to know how far an input may go: these are no pixels, so its box is named.
 */
export default weir.pipeline({
  name: 'own-data',
  title: 'Data of your own',
  config: { epochs: z.int().min(1).default(200), points: z.int().min(10).default(200) },

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
    const tests$ = updates$.pipe(weir.every({ epochs: 10 }), weir.accuracy(model, points));
    const attacks$ = updates$.pipe(
      weir.atEnd(),
      weir.tangentAttack(model, points, { samples: 10, iterations: 10, box: { min: -1.5, max: 1.5 }, seed }),
    );
    return { updates$, tests$, attacks$ };
  },
});

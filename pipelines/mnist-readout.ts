import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';

const { z } = weir;

/**
 * MNIST, the readout refitted: multinomial logistic regression on the frozen features of networks that `mnist` trained,
 * then attacked as a network (paper, 4.2, E.1 and figure 5).
 *
 * `weir reproduce mnist-readout` trains those first. By itself: `weir run pipelines/mnist-readout.ts --set from=RUN`.
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | logistic regression | scikit-learn's default, 100 iterations, which often end before it has converged; `readoutFit=converged` goes on | the same |
 * | start of the attack | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 */
export default weir.pipeline({
  name: 'mnist-readout',
  title: 'MNIST with a readout fitted anew on frozen features',
  task: { sampleShape: [28, 28], classes: [...'0123456789'] },
  figures: paper.mnistReadout,

  config: {
    from: weir.folder('').default('').describe('run of pipeline mnist whose networks to take up'),
    data: weir
      .folder('embedded')
      .default('embedded')
      .describe("folder with MNIST's four files, or 'embedded': 10,000 real digits"),
    hidden: z.int().min(1).default(2000).describe('hidden units of those networks'),
    inverseRegularization: z.number().positive().default(1).describe('C of the logistic regression'),
    ...weir.readoutKeys(),
    ...weir.attackKeys({ attacked: 1000 }),
    ...weir.whiteBoxKeys({ whitebox: 0 }),
  },
  profiles: { quick: { hidden: 256, attacked: 40 } },
  fallback: { attacked: 8 },
  reproduce: { after: 'mnist' },

  networks: ({ from }) => weir.networksOf(from),

  wire({ config, network, seed }) {
    const { train, test } = weir.mnist({ data: config.data, seed });
    const model = weir.mlp([784, config.hidden, 10]);
    const readouts$ = weir
      .trainedBy(model, { run: config.from, network: network.name })
      .pipe(weir.readout(model, train, test, { ...config, fit: config.readoutFit }));
    const readoutAttacks$ = readouts$.pipe(
      weir.tangentAttack(model, test, { ...config, samples: config.attacked, seed }),
    );
    const { bounds$, apgd$ } = weir.whiteBoxAttacks(readouts$, model, test, { ...config, seed });
    return {
      readouts$,
      readoutAttacks$,
      ...(bounds$ && { readoutBounds$: bounds$ }),
      ...(apgd$ && { readoutApgd$: apgd$ }),
    };
  },
});

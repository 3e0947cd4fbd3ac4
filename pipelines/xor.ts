import * as weir from 'weir-engine';
import * as paper from './shared/paper.js';

const { z } = weir;

/**
 * The authors' protocol on clean XOR, computed from its description with ten seeds: 2-8-2 GELU, logits times 1/√8, weights from
 * N(0, 0.01²), full batch, rate 1, momentum 0.9, the regularizer from epoch 10,501 on. 'Mean exact Δx' is by a dense scan.
 */
const cleanXor: weir.Reference = {
  title: 'Clean XOR',
  source: "the authors' protocol",
  seeds: 10,
  epochs: 15_000,
  where: { noisy: false, hidden: 8, rate: 1, momentum: 0.9, gamma: 1e-4, burnIn: 10_500 },
  rows: [
    {
      regularizer: 'none',
      where: { decay: 0 },
      sigma: { hidden1: 8.14, readout: 11.29 },
      measures: { 'Mean exact Δx': [0.775, 0.098], 'Mean Δx': [0.797, 0.117] },
    },
    {
      regularizer: 'rep-spectral',
      where: { decay: 0 },
      sigma: { hidden1: 3.21, readout: 14.6 },
      measures: { 'Mean exact Δx': [0.842, 0.124], 'Mean Δx': [0.848, 0.129] },
    },
    {
      regularizer: 'll-spectral',
      where: { decay: 0 },
      sigma: { hidden1: 6.03, readout: 6.12 },
      measures: { 'Mean exact Δx': [0.86, 0.126], 'Mean Δx': [0.864, 0.127] },
    },
    {
      regularizer: 'readout-spectral',
      where: { decay: 0 },
      sigma: { hidden1: 12.83, readout: 3.65 },
      measures: { 'Mean exact Δx': [0.815, 0.119], 'Mean Δx': [0.824, 0.126] },
    },
    {
      regularizer: 'none',
      where: { decay: 1e-4 },
      sigma: { hidden1: 5.32, readout: 6.88 },
      measures: { 'Mean exact Δx': [0.864, 0.145], 'Mean Δx': [0.867, 0.142] },
    },
    {
      regularizer: 'rep-spectral',
      where: { decay: 1e-4 },
      sigma: { hidden1: 4.51, readout: 7.58 },
      measures: { 'Mean exact Δx': [0.883, 0.13], 'Mean Δx': [0.888, 0.126] },
    },
  ],
};

/** The centers of the classes. */
const corners = [1, -1].flatMap((x) => [1, -1].map((y) => [x, y] as const));

/**
 * XOR in the plane, 2-8-2 GELU: four corners, or noisy points about them (paper, 4.1 and E.1). All seeds and regularizers are
 * trained at once, as one ensemble in which each ends in the bits that it would have alone.
 *
 * Differences between the paper's protocol and the authors' code (`--set protocol=authors` takes the code's):
 *
 * | | paper (default) | authors |
 * |---|---|---|
 * | noisy data | full batch | batches of 20, in an order that the networks share |
 * | start of the attack | noise until found, and the nearest images predicted otherwise | first noisy point that is misclassified, 5000 tries |
 * | regularizer on the features | γ/2 · σ² | adds mean max gelu'(z)² (not here) |
 */
export default weir.pipeline({
  name: 'xor',
  title: 'XOR with spectral regularization up to feature space',
  task: { sampleShape: [2], classes: ['same sign', 'opposite signs'] },
  figures: paper.xor,
  reference: cleanXor,

  config: {
    noisy: z.boolean().default(false).describe('20 points about each corner instead of the corners'),
    std: z.number().positive().default(0.2).describe('standard deviation of the noise'),
    regularizers: z
      .array(z.enum(weir.spectralKinds))
      .min(1)
      .default([...weir.spectralKinds])
      .describe('a network of each and every seed'),
    seeds: z.int().min(1).default(10).describe('networks of each, seeded from --seed on'),
    hidden: z.int().min(1).default(8).describe('hidden units'),
    epochs: weir.changeable(z.int().min(1).default(15_000), 'grows'),
    rate: z.number().positive().default(1).describe('learning rate'),
    momentum: z.number().min(0).lt(1).default(0.9),
    decay: z.number().min(0).default(0).describe('weight decay, on all parameters'),
    gamma: weir.ofRegularizer(z.number().min(0).default(1e-4).describe('γ of equations 5 and 6')),
    burnIn: weir.ofRegularizer(z.int().min(0).default(10_500).describe('epochs before the regularizer acts')),
    logEvery: weir.changeable(
      z.int().min(1).default(50).describe('epochs from one line of the log to the next'),
      'any',
    ),
    iterations: weir.changeable(z.int().min(1).default(40).describe('T of the Tangent Attack'), 'any'),
    protocol: z.enum(['paper', 'authors']).default('paper').describe('whose batches and whose attack'),
  },
  profiles: { quick: { seeds: 2, epochs: 3000, burnIn: 2000 } },
  reproduce: {
    settings: {
      clean: [],
      'clean, decay 1e-4': ['decay=1e-4'],
      noisy: ['noisy=true'],
      'noisy, decay 1e-4': ['noisy=true', 'decay=1e-4'],
    },
  },

  rules: [
    weir.endsWith('logEvery', 'epochs', 'logged'),
    {
      keys: ['std', 'noisy'],
      clash: ({ noisy }, { given }) => (!noisy && given.has('std') ? { why: 'the corners have no noise' } : undefined),
    },
  ],
  networks: ({ regularizers, seeds }, seed) => [
    { name: 'xor', regularizer: 'all', seed, members: weir.eachRegularizer({ regularizers, seeds, seed }) },
  ],

  wire({ config, network, seed }) {
    const networks = weir.ensemble([2, config.hidden, 2], network.members);
    const regularizer = weir.ensembleRegularizer(networks, { gamma: config.gamma, from: { epoch: config.burnIn } });
    const noise = config.noisy ? { std: config.std } : undefined;
    const points = weir.xorOfEach(
      network.members.map((member) => member.seed),
      noise,
    );
    const pointsOf = (member: { readonly seed: number }) => weir.xor({ seed: member.seed, ...(noise && { noise }) });
    const batchSize = config.noisy && config.protocol === 'authors' ? 20 : points.size;

    const batches$ = weir
      .loader(points, { epochs: config.epochs, seed, shuffle: batchSize < points.size })
      .pipe(weir.augment([], { seed }), weir.batch(batchSize));
    const steps$ = batches$.pipe(weir.trainEnsemble(networks, { sgd: config, regularizer }));
    const ticks$ = steps$.pipe(
      weir.every({ updates: 1, from: { epoch: config.burnIn } }),
      weir.ensembleTick(networks, regularizer),
      weir.every({ epochs: config.logEvery }),
      weir.memberTicks(networks, regularizer),
    );
    const logged$ = steps$.pipe(weir.every({ epochs: config.logEvery }));
    const updates$ = logged$.pipe(weir.memberUpdates(networks));
    const tests$ = logged$.pipe(weir.memberAccuracy(networks, pointsOf));
    const sigmas$ = logged$.pipe(weir.memberNorms(networks));

    const { model } = networks;
    const reach = config.noisy ? Math.max(2, 1 + 5 * config.std) : 2; // the authors' box, or a wider one that holds the points of wider noise
    const whole = { samples: points.size, group: points.size, box: { min: -reach, max: reach }, shuffle: false };
    const attacks$ = steps$.pipe(
      weir.atEnd(),
      weir.eachMember(networks, (member) =>
        weir.tangentAttack(model, pointsOf(member), {
          ...config,
          ...whole,
          certificate: { methods: [] },
          seed: member.seed,
        }),
      ),
    );
    const exactDistances$ = steps$.pipe(
      weir.atEnd(),
      weir.eachMember(networks, (member) =>
        weir.exactDistances(model, pointsOf(member), { directions: 720, step: 0.02 }),
      ),
    );
    const geometries$ = steps$.pipe(
      weir.atEnd(),
      weir.eachMember(networks, (member) =>
        member.seed === seed ? weir.geometryGrid(model, { points: pointsOf(member) }) : undefined,
      ),
    );
    const sensitivities$ = steps$.pipe(
      weir.atEnd(),
      weir.eachMember(networks, () => weir.sensitivity(model, { centers: corners })),
    );
    return { ticks$, updates$, tests$, sigmas$, attacks$, exactDistances$, geometries$, sensitivities$ };
  },
});

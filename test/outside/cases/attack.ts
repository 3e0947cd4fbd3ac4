import { type Case, right, succeeded, type World } from '../case.js';

/** Two classes so far apart that no noise of the attack reaches from one to the other; exact distances stand beside. */
const far = `
const a = [[-4, 0], [-4, 2], [-3.5, -2], [-5, 1]];
const values = Float32Array.from([...a, ...a.map(([x, y]) => [-x, y + 0.5])].flat());
const points = { name: 'far apart', size: 8, sampleShape: [2], classes: ['left', 'right'],
  values, labels: Uint8Array.from([0, 0, 0, 0, 1, 1, 1, 1]) };
export default weir.pipeline({
  name: 'far-apart',
  task: { sampleShape: [2], classes: points.classes },
  config: { epochs: weir.z.int().default(200), attacked: weir.z.int().default(1), shuffle: weir.z.boolean().default(false) },
  wire({ config, seed }) {
    const model = weir.mlp([2, 8, 2], { scale: 'none' });
    const updates$ = weir.loader(points, { epochs: config.epochs, seed }).pipe(
      weir.augment([], { seed }),
      weir.batch(8),
      weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.3, momentum: 0.9 }), seed }),
    );
    const tests$ = updates$.pipe(weir.atEnd(), weir.accuracy(model, points));
    const attacks$ = updates$.pipe(weir.atEnd(), weir.tangentAttack(model, points,
      { samples: config.attacked, shuffle: config.shuffle, box: { min: -7, max: 7 }, group: 2, iterations: 20, seed }));
    const exactDistances$ = updates$.pipe(weir.atEnd(), weir.exactDistances(model, points, { directions: 720, step: 0.02 }));
    return { updates$, tests$, attacks$, exactDistances$ };
  },
});`;

interface Sample {
  readonly index: number;
  readonly outcome: string;
  readonly distance: number | null;
  readonly start: string | null;
}

interface Numbers {
  readonly testAccuracy: number;
  readonly attack: { readonly samples: readonly Sample[] };
  readonly exact: readonly { readonly index: number; readonly distance: number }[];
}

async function ran(world: World, run: string, ...settings: string[]): Promise<Numbers> {
  const module = world.module('far.ts', far);
  succeeded(
    await world.weir('run', module, '--run', world.path(run), ...settings.flatMap((setting) => ['--set', setting])),
  );
  return reported(world, run);
}

async function reported(world: World, run: string): Promise<Numbers> {
  const { networks } = JSON.parse(succeeded(await world.weir('report', world.path(run), '--json')).out);
  return networks[0];
}

export const attackCases: readonly Case[] = [
  {
    name: 'attack: noise never flips the only attacked sample',
    quick: true,
    async play(world) {
      const { testAccuracy, attack, exact } = await ran(world, 'run');
      if (testAccuracy !== 1) throw new Error(`the network did not learn: ${testAccuracy}`);
      const [one] = attack.samples;
      const distance = exact.find(({ index }) => index === one!.index)!.distance;
      right(one!.outcome === 'found' && one!.distance! < 1.02 * distance, `${JSON.stringify(one)}; exact: ${distance}`);
      right(one!.start === 'image', `its start is ${one!.start}, and noise cannot have found it`);
    },
  },
  {
    name: 'attack: the distance of a sample depends on which others are attacked',
    async play(world) {
      const few = await ran(world, 'few', 'attacked=3');
      const all = await ran(world, 'all', 'attacked=8', 'shuffle=true');
      for (const { index, distance } of few.attack.samples) {
        const again = all.attack.samples.find((other) => other.index === index);
        right(again?.distance === distance, `sample ${index}: ${distance}, and among all ${again?.distance}`);
      }
    },
  },
];

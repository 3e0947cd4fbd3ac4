import { freePorts } from '../../src/ranks/process.js';
import { type Answer, compare, type LinePeer, linePeer, median, pythonPeer, type Side } from './compare.js';

const size = 256; // images of a batch, over all ranks
const updates = 1; // a round
const rounds = Number(process.env.WEIR_ROUNDS ?? 5);
const script = new URL('sides/rank-step.ts', import.meta.url).pathname;

/**
 * ResNet-18 on CIFAR-10's shapes by two ranks of one thread, through the whole graph: against one process of two threads, and against
 * PyTorch's DistributedDataParallel over gloo. And the time in the collective against a bare one of the same bytes.
 */
export async function bench(): Promise<boolean> {
  const common = { rounds, warmUp: 1, work: { amount: updates * size, unit: 'images' } };
  const calls: number[][] = [];
  const pair = await two();
  const ours: Side = {
    name: `${pair[0]!.ready}, two ranks`,
    async round() {
      const answers = await all(pair, 'round');
      calls.push(...fastest(answers));
      return Math.max(...answers.map(({ seconds }) => seconds));
    },
  };
  const alone = await linePeer(node(), { WEIR_THREADS: '2' });
  const scaled = await compare({
    name: 'data-parallel',
    ours,
    reach: 0.85,
    ...common,
    peer: { name: `${alone.ready}, alone`, round: async () => (await alone.ask('round')).seconds, close: alone.close },
  });
  const torch = await compare({ name: 'data-parallel-ddp', ours, reach: 1, ...common, peer: await ddp() });

  const bare = fastest(await all(pair, 'bare')).flat();
  for (const one of pair) one.close();
  const spent = median(calls.flat());
  const ratio = spent / median(bare);
  console.log(
    `the gradient's collective: median ${spent.toFixed(0)} ms in training, ${median(bare).toFixed(0)} ms bare`,
  );
  console.log(`data-parallel-communication ratio ${ratio.toFixed(2)} (at most 1.30)`);
  return scaled.reached && torch.reached && ratio <= 1.3;
}

const node = (): [string, ...string[]] => [process.execPath, '--import', 'tsx', script, String(size), String(updates)];

/** Two ranks of one thread. */
async function two(): Promise<readonly LinePeer[]> {
  const addresses = (await freePorts(2)).map((port) => `127.0.0.1:${port}`).join();
  return Promise.all(
    ['0', '1'].map((rank) =>
      linePeer(node(), { WEIR_THREADS: '1', WEIR_RANK_OF_THIS: rank, WEIR_RANK_ADDRESSES: addresses }),
    ),
  );
}

async function ddp(): Promise<Side> {
  const [port] = await freePorts(1);
  const args = (rank: number): string[] =>
    [rank, 2, port!, process.env.WEIR_REFERENCE ?? '', size, updates, 1].map(String);
  const ranks = await Promise.all([0, 1].map((rank) => pythonPeer('data_parallel.py', args(rank))));
  if (ranks.includes(undefined)) return { name: 'no peer', round: () => Number.NaN };
  const both = ranks as LinePeer[];
  return {
    name: both[0]!.ready,
    round: async () => Math.max(...(await all(both, 'round')).map(({ seconds }) => seconds)),
    close() {
      for (const { close } of both) close();
    },
  };
}

const all = (ranks: readonly LinePeer[], line: string): Promise<Answer[]> =>
  Promise.all(ranks.map((rank) => rank.ask(line)));

/** Of each call the time on the rank that came last, which waited for no other. */
function fastest(answers: readonly Answer[]): number[][] {
  const [one, other] = answers.map(({ calls }) => calls as number[]);
  return [one!.map((time, i) => Math.min(time, other![i]!))];
}

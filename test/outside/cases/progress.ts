import { readFileSync } from 'node:fs';
import { type Case, right, succeeded, type World } from '../case.js';

type Status = {
  readonly update: number | null;
  readonly updates: number | null;
  readonly attacked: { readonly done: number; readonly of: number | null } | null;
};

const small = ['profile=quick', 'hidden=8', 'regularizers=none', 'burnIn=0', 'iterations=1'];

/** Runs `mnist` small, in the folder `run`. */
const mnist = (world: World, ...settings: string[]): string[] => [
  ...['run', 'pipelines/mnist.ts', '--run', world.path('run')],
  ...[...small, ...settings].flatMap((one) => ['--set', one]),
];

async function statusOf(world: World): Promise<Status> {
  const { out } = succeeded(await world.weir('status', world.path('run'), '--json'));
  return (JSON.parse(out) as Status[])[0]!;
}

export const progressCases: readonly Case[] = [
  {
    name: 'progress: in the middle of an epoch as many updates are to come as will be made',
    async play(world) {
      const started = world.start(...mnist(world, 'epochs=100000', 'attacked=1'));
      await started.said('· loss'); // an update at least has been made
      started.child.kill('SIGTERM');
      await started.ended;
      const { updates } = await statusOf(world);
      right(updates === 63 * 100_000, `${updates} updates in all, where 63 an epoch make 6,300,000`);
    },
  },
  {
    name: 'progress: an attack that takes fewer samples than it was asked for says how many',
    async play(world) {
      const ended = succeeded(await world.weir(...mnist(world, 'epochs=1', 'attacked=1000000')));
      const lines = readFileSync(world.path('run', 'metrics.ndjson'), 'utf8').trim().split('\n');
      const results = lines.filter((line) => line.includes('"stream":"attacks"'));
      const { attacked } = await statusOf(world);
      right(
        attacked?.done === results.length && attacked.of === results.length,
        `status says ${JSON.stringify(attacked)} of ${results.length}`,
      );
      right(!ended.err.includes('1,000,000'), `the terminal counts to what was asked for: ${ended.err}`);
    },
  },
  {
    name: 'captions: a readout fitted anew and attacked is not told as not attacked',
    async play(world) {
      succeeded(await world.weir(...mnist(world, 'epochs=3', 'attacked=1')));
      const set = [`from=${world.path('run')}`, 'hidden=8', 'attacked=4', 'iterations=1'];
      const refit = ['run', 'pipelines/mnist-readout.ts', ...set.flatMap((one) => ['--set', one])];
      succeeded(await world.weir(...refit, '--run', world.path('readout')));
      const report = readFileSync(world.path('readout', 'report', 'report.html'), 'utf8');
      right(!report.includes('none attacked'), 'figure 5 says that none was attacked');
      right(/\(4 a network\)/.test(report), 'figure 5 does not say that 4 samples a network were attacked');
      right(report.includes('inputs kept in [0, 1]'), 'no caption states the box');
    },
  },
];

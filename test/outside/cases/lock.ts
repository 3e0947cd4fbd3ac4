import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, type Ended } from '../../cli/weir.js';
import { type Case, refused, right, succeeded, type World, warned } from '../case.js';

const container = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const possible = spawnSync(container[0]!, [...container.slice(1), 'true']).status === 0;

/** The command in a container of its own: under the host's name, with processes numbered anew. */
function inContainer(...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const [program, ...rest] = [...container, process.execPath, command, ...args];
  const child = spawn(program!, rest, { env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout!.on('data', (text) => {
    said.out += text;
  });
  child.stderr!.on('data', (text) => {
    said.err += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ status: signal ?? code, ...said }));
  });
  return { child, ended };
}

/** A run that goes on until it is ended. */
const endless = (world: World): string[] => [
  ...['run', join(import.meta.dirname, '../../run/accumulating.ts'), '--run', world.path('run')],
  ...['--set', 'epochs=1000000', '--snapshot-updates', '30', '--no-control'],
];

const snapshots = (world: World): string[] => {
  const folder = world.path('run/snapshots/accumulating');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.snapshot')) : [];
};

async function under(world: World, { child }: { readonly child: ChildProcess }): Promise<void> {
  while (child.exitCode === null && snapshots(world).length === 0) await new Promise((next) => setTimeout(next, 5));
}

/** Updates that are in the log, each as often as it is there. */
const updates = (world: World): unknown[] =>
  readFileSync(world.path('run/metrics.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly stream: string; readonly number: number })
    .flatMap(({ stream, number }) => (stream === 'updates' ? [number] : []));

const containers: Case[] = [
  {
    name: 'lock: two containers under one host name on one folder',
    async play(world) {
      const first = inContainer(...endless(world));
      await under(world, first);
      const second = await inContainer('resume', world.path('run'), '--no-control').ended;
      const outside = await world.weir('resume', world.path('run'), '--no-control');
      first.child.kill('SIGKILL');
      await first.ended;
      for (const ended of [second, outside]) {
        refused(
          ended,
          /in use by process \d+ of '.+', since .+ UTC: another container of this machine, which cannot be asked/,
        );
        warned(ended, /--take-over \d+@/);
      }
      const logged = updates(world);
      right(
        new Set(logged).size === logged.length,
        `${logged.length} updates logged, ${new Set(logged).size} different`,
      );
    },
  },
  {
    name: 'lock: the container of a run is lost, and the run goes on in another one by the option that names it',
    async play(world) {
      const first = inContainer(...endless(world));
      await under(world, first);
      first.child.kill('SIGKILL');
      await first.ended;
      const refusal = await world.weir('resume', world.path('run'), '--no-control');
      refused(refusal, /--take-over \d+@/);
      const mark = /--take-over (\S+)/.exec(refusal.err)![1]!;
      const wrong = await world.weir('resume', world.path('run'), '--no-control', '--take-over', `1${mark}`);
      refused(wrong, /in use by process/);
      const before = snapshots(world).sort().at(-1);
      const second = world.start(
        'resume',
        world.path('run'),
        '--no-control',
        '--snapshot-updates',
        '30',
        '--take-over',
        mark,
      );
      while (second.child.exitCode === null && snapshots(world).sort().at(-1) === before) {
        await new Promise((next) => setTimeout(next, 5));
      }
      second.child.kill('SIGTERM');
      const ended = await second.ended;
      right(ended.status === 75, `status ${ended.status}: ${ended.err}`);
      const logged = updates(world);
      right(
        new Set(logged).size === logged.length,
        `${logged.length} updates logged, ${new Set(logged).size} different`,
      );
    },
  },
];

export const lock: readonly Case[] = [
  ...(possible ? containers : []),
  {
    name: 'lock: another machine under this host name holds the folder',
    quick: true,
    async play(world) {
      const first = world.start(...endless(world));
      await under(world, first);
      first.child.kill('SIGKILL');
      await first.ended;
      const name = readdirSync(world.path('run')).find((file) => file.startsWith('lock.'))!;
      const file = world.path('run', name);
      const mark = JSON.parse(readFileSync(file, 'utf8')) as { readonly pid: number; readonly host: string };
      writeFileSync(file, JSON.stringify({ ...mark, boot: 'of another kernel', namespace: 'pid:[4026532000]' }));
      refused(
        await world.weir('resume', world.path('run'), '--no-control'),
        /another machine or container, which cannot be asked/,
      );
      const status = succeeded(await world.weir('status', world.path('run'))).out;
      right(status.includes('elsewhere'), status);
    },
  },
  {
    name: 'lock: a process that was taken for dead lives, and its folder is taken over',
    async play(world) {
      const first = world.start(...endless(world));
      await under(world, first);
      const name = readdirSync(world.path('run')).find((file) => file.startsWith('lock.'))!;
      renameSync(world.path('run', name), world.path('run', 'lock.99')); // as another process does on command
      refused(await first.ended, /was taken over by process .*: a user said that this process is dead/);
    },
  },
];

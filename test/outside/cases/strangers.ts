import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { start } from '../../cli/weir.js';
import { pixels, png } from '../../data/images/samples.js';
import { ranksOf } from '../../ranks/kills.js';
import { type Case, right, succeeded } from '../case.js';

const quickXor = ['run', 'pipelines/xor.ts', '--set', 'profile=quick'];

/** Addresses that a process listens at, as the kernel writes them: hexadecimal, the least byte of each word first. */
function listening(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // closed meanwhile
      }
    }),
  );
  const rows = ['tcp', 'tcp6'].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, 'utf8').trim().split('\n').slice(1),
  );
  return rows.flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    return state === '0A' && inodes.has(inode!) ? [local!.split(':')[0]!] : [];
  });
}

/** 127.0.0.1, and the same as an address of IPv6. */
const loopback = ['0100007F', '0000000000000000FFFF00000100007F'];

export const strangers: readonly Case[] = [
  {
    name: 'strangers: compiled modules are read from no folder that another user may have made',
    quick: true,
    async play(world) {
      const guessable = world.path('tmp', `tsx-${process.geteuid!()}`);
      mkdirSync(guessable, { recursive: true });
      const variables = { TMPDIR: world.path('tmp'), WEIR_CACHE: world.path('cache') };
      succeeded(await start(variables, 'graph', 'pipelines/xor.ts', '--help').ended);
      const found = readdirSync(guessable).length;
      right(found === 0, `${found} compiled modules in ${guessable}`);
      const { mode } = statSync(world.path('cache', `compiled-${process.geteuid!()}`));
      right((mode & 0o077) === 0, `the cache has mode ${(mode & 0o777).toString(8)}`);
    },
  },
  {
    name: 'strangers: ranks of one machine listen on its loopback alone',
    async play(world) {
      const run = world.start(
        'run',
        'pipelines/mnist.ts',
        '--set',
        'profile=quick',
        '--ranks',
        '2',
        '--run',
        world.path('run'),
      );
      try {
        await run.said('training');
        const pids = [run.child.pid!, ...ranksOf(run.child.pid!)];
        const doors = pids.flatMap(listening);
        right(doors.length >= 2, `${doors.length} doors where each rank has one`);
        const open = doors.filter((door) => !loopback.includes(door));
        right(open.length === 0, `open to others: ${open.join(', ')}`);
      } finally {
        run.child.kill('SIGTERM');
        await run.ended;
      }
    },
  },
  {
    name: 'strangers: control characters in names do not reach the terminal',
    quick: true,
    async play(world) {
      world.write('images/\u001b[2J\u001b]0;x\u0007/1.png', await png(pixels(4, 4), 4, 4));
      world.write('images/b/\u009b31m\n.png', 'no image');
      for (const more of [[], ['--skip']]) {
        const { err, out } = await world.weir('pack', world.path('images'), world.path('pack'), ...more);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: the case looks for them
        right(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(err + out), JSON.stringify(err + out));
      }
    },
  },
  {
    name: 'strangers: the token of the page is in no job log',
    async play(world) {
      const run = world.start(...quickXor, '--monitor', '0', '--run', world.path('run'));
      try {
        await run.said('monitor:');
        const file = world.path('run', 'monitor.url');
        const [, token] = readFileSync(file, 'utf8').trim().split('#token=');
        right((statSync(file).mode & 0o077) === 0, `${file} is readable by others`);
        await run.said('training');
        right(!(await run.heard()).includes(token!), 'standard error has the token');
      } finally {
        run.child.kill('SIGTERM');
        await run.ended;
      }
    },
  },
];

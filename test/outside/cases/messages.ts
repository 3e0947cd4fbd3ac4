import { execFileSync, spawn } from 'node:child_process';
import { command, type Ended } from '../../cli/weir.js';
import { type Case, refused, type World, warned } from '../case.js';

const xor = ['pipelines/xor.ts', '--set', 'profile=quick'];

/** A pipeline of the user's in which line `AT` of the module throws. */
const faulty = (world: World, where: 'wire' | 'operator' | 'stage'): string => {
  const boom = (target: typeof where): string => (target === where ? 'boom();' : '');
  return world.module(
    'own.ts',
    [
      'function boom() { return (undefined as any).foo; }', // line 2
      `export default weir.pipeline({ name: 'own', config: {}, networks: (_: any, seed: number) => [{ name: 'none', regularizer: 'none', seed, epochs: 2 }],`,
      '  wire({ seed }: any) {',
      `    ${boom('wire')}`,
      '    const model = weir.mlp([2, 4, 2]);',
      '    const samples$ = weir.loader(weir.xor({ seed }), { epochs: 2, seed });',
      `    const own$ = weir.stage({ name: 'my stage', start: () => null, next: (state: null, item: any) => { ${boom('stage')} return [state, item] as const; } })(samples$ as any);`,
      `    const updates$ = own$.pipe(weir.augment([], { seed }), weir.batch(4), (source: any) => { ${boom('operator')} return source; }, weir.train(model, { loss: weir.crossEntropy(), optimizer: weir.sgd({ rate: 0.1 }), seed }) as any);`,
      '    return { updates$ };',
      '  },',
      '} as any);',
    ].join('\n'),
  );
};

/** Runs a line of a shell to its end. */
function inShell(line: string, ...args: string[]): Promise<Ended> {
  const child = spawn('sh', ['-c', line, 'sh', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (piece) => {
    out += piece;
  });
  child.stderr.on('data', (piece) => {
    err += piece;
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ status: signal ?? code, out, err })));
}

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export const messages: readonly Case[] = [
  {
    name: 'messages: a graph whose wiring waits for something that never comes does not end as if it were done',
    quick: true,
    async play(world) {
      const module = world.module(
        'never.mts',
        "export default weir.pipeline({ name: 'never', config: {}, wire: () => new Promise<never>(() => undefined) });",
      );
      refused(await world.process('run', module, '--run', world.path('run')), /ended before it was done/);
    },
  },
  ...(['wire', 'operator', 'stage'] as const).map(
    (where): Case => ({
      name: `messages: an error in the user's ${where} is told with file and line`,
      quick: where === 'stage',
      async play(world) {
        const ended = await world.weir('run', faulty(world, where), '--run', world.path('run'));
        refused(ended, where === 'stage' ? /in stage 'my stage', at \S+own\.ts:2:\d+/ : /at \S+own\.ts:2:\d+/);
      },
    }),
  ),
  {
    name: 'messages: a read-only disk is called read-only',
    async play(world) {
      if (!mayMount()) return; // no namespace of its own to mount a read-only disk in
      const disk = world.path('disk');
      const line = 'mkdir "$1" && mount -t tmpfs -o ro tmpfs "$1" && shift && exec "$@"';
      const run = [process.execPath, command, 'run', ...xor, '--run', `${disk}/a/b`];
      const wrapped = `unshare -rm sh -c '${line}' sh "$@"`;
      refused(await inShell(wrapped, disk, ...run), /cannot write \S+: the file system is read-only \(EROFS\)/);
    },
  },
  {
    name: 'messages: a limit of 40 open files is called that',
    quick: true,
    async play(world) {
      const run = [process.execPath, command, 'run', ...xor, '--run', world.path('run')];
      const ended = await inShell('ulimit -n 40; exec "$@"', ...run);
      refused(ended, /this process may open 40 files at once, and needs 128 or more/);
      warned(ended, /ulimit -n 4096/);
    },
  },
];

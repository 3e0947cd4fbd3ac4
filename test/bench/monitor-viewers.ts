import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { start, weir } from '../cli/weir.js';
import { Monitor } from '../monitor/watched.js';
import { median, spread } from './compare.js';
import { openStream } from './sides/viewers.js';

/**
 * The cost of viewers: updates a second of a training run without any, against 50 viewers, half of whom never read, and
 * two taps that never read either. In turns within one run, so that both sides meet the same machine. It prints the run's
 * resident memory before and after as well.
 */
const viewers = 50;
const rounds = 9;
const window = 6000; // milliseconds

export async function bench(): Promise<boolean> {
  const base = mkdtempSync(join(tmpdir(), 'weir-viewers-'));
  const folder = join(base, 'run');
  const set = ['profile=quick', 'regularizers=none', 'epochs=1000000', 'burnIn=1'].flatMap((setting) => [
    '--set',
    setting,
  ]);
  const run = start('run', 'pipelines/mnist.ts', '--run', folder, ...set, '--monitor', '0');
  try {
    await Promise.race([run.said('training'), run.ended]);
    const monitor = Monitor.in(await run.heard());
    const resident = async () =>
      (await monitor.event<{ memory: { resident: number } }>('pulse')).memory.resident / 2 ** 20;
    const alone: number[] = [];
    const watched: number[] = [];
    await pace(folder);
    const before = await resident();
    for (let round = 0; round < rounds; round++) {
      alone.push(await pace(folder));
      const end = watch(monitor);
      await setTimeout(1500);
      watched.push(await pace(folder));
      end();
      await setTimeout(500);
      console.log(`${alone.at(-1)!.toFixed(1)} updates/s alone, ${watched.at(-1)!.toFixed(1)} watched`);
    }
    const after = await resident();
    const ratios = watched.map((pace, i) => pace / alone[i]!);
    console.log(
      `by round ${spread(ratios, (ratio) => ratio.toFixed(3))}; alone ${spread(alone, (pace) => pace.toFixed(1))} updates/s`,
    );
    console.log(`resident memory ${before.toFixed(0)} MiB before, ${after.toFixed(0)} MiB after`);
    const ratio = median(ratios);
    console.log(`monitor-viewers ratio ${ratio.toFixed(2)} (reach 0.97)`);
    return ratio >= 0.97;
  } finally {
    run.child.kill('SIGKILL');
    await run.ended;
    rmSync(base, { recursive: true });
  }
}

/** Updates a second over a while, by the first update and the last one of it. */
async function pace(folder: string): Promise<number> {
  const first = await update(folder);
  await setTimeout(window);
  const last = await update(folder);
  return (last.number - first.number) / ((last.at - first.at) / 1000);
}

async function update(folder: string): Promise<{ readonly number: number; readonly at: number }> {
  const { out } = await weir('tap', folder, 'train', '--items', '1');
  return { number: (JSON.parse(out) as { item: { number: number } }).item.number, at: Date.now() };
}

/** Opens viewers and taps, half of which read. @returns a function that ends them */
function watch(monitor: Monitor): () => void {
  const paths = [
    ...Array.from({ length: viewers }, () => '/api/events'),
    '/api/tap?edge=batch&arrays=base64&policy=buffer:4',
    '/api/tap?edge=train',
  ];
  const ends = paths.map((path, i) => openStream(monitor, path, i % 2 === 0 && i < viewers));
  return () => {
    for (const end of ends) end();
  };
}

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { weir } from '../cli/weir.js';
import { alterNewest } from '../storage/altered.js';
import { machine } from './compare.js';

const settings = ['profile=quick', 'epochs=2', 'burnIn=1', 'attacked=1', 'iterations=1', 'regularizers=none'];

/**
 * The newest snapshot of a real run cut at every 4 KiB, and with 2,000 single bits flipped: always refused, the one before it used,
 * never a wrong load. `npm run bench -- snapshot-altered [FLIPS] [SEED]`.
 */
export async function bench([flips = '2000', seed = '1']: string[]): Promise<boolean> {
  console.log(machine());
  const base = mkdtempSync(join(tmpdir(), 'weir-altered-'));
  try {
    const run = join(base, 'run');
    const set = settings.flatMap((one) => ['--set', one]);
    const { status, err } = await weir('run', 'pipelines/mnist.ts', '--run', run, '--snapshot-epochs', '1', ...set);
    if (status !== 0) throw new Error(err);
    const folder = join(run, 'snapshots', 'none');
    const newest = readdirSync(folder).sort().at(-1)!;
    console.log(`${newest}: ${statSync(join(folder, newest)).size} bytes`);
    const { tried, wrong } = alterNewest(folder, { every: 4096, flips: Number(flips), seed: Number(seed) });
    for (const what of wrong) console.log(what);
    console.log(`${tried} alterations, ${wrong.length} met wrongly`);
    console.log(`snapshot-altered ratio ${((tried - wrong.length) / tried).toFixed(2)} (reach 1.00)`);
    return wrong.length === 0;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

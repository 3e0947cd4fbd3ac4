import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start, weir } from '../cli/weir.js';

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'weir-accumulate-'));
});
afterAll(() => rmSync(base, { recursive: true }));

test('a run whose updates take several batches, killed at random instants and resumed, ends in the same bits', async () => {
  const often = ['--snapshot-every', '0.01'];
  const run = (folder: string) => start('run', 'test/run/accumulating.ts', '--run', folder, ...often);
  const [whole, killed] = [join(base, 'whole'), join(base, 'killed')];
  const straight = run(whole);
  await straight.said('training');
  const begun = performance.now();
  expect(await straight.ended).toMatchObject({ status: 0, err: expect.not.stringContaining('weir:') });
  const active = performance.now() - begun;
  const updates = readFileSync(join(whole, 'metrics.ndjson'), 'utf8').match(
    /"number":360,"epoch":120,"endsEpoch":true/,
  );
  expect(updates).not.toBeNull(); // three an epoch, of 18, 18 and 4 samples

  for (let kills = 0; ; kills++) {
    const { child, ended, said } = existsSync(join(killed, 'config.json'))
      ? start('resume', killed, ...often)
      : run(killed);
    if (kills < 4) {
      await Promise.race([said('training'), ended]);
      setTimeout(() => child.kill('SIGKILL'), (0.05 + 0.3 * Math.random()) * active);
    }
    const { status, err } = await ended;
    expect([kills, status, err]).toEqual([kills, kills < 4 && status !== 0 ? 'SIGKILL' : 0, err]);
    if (status === 0) break;
  }
  const hashes = await Promise.all([whole, killed].map((folder) => weir('hash', '--all', folder)));
  expect(hashes[1]!.out).toBe(hashes[0]!.out);
});

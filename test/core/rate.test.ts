import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** In a process of its own, as users run it: what tsx makes of the engine has its cost too. */
test('an item through six stages costs at most three times what it costs through bare RxJS', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'test/bench/run.ts', 'graph-throughput', 'quick'],
    { encoding: 'utf8', cwd: `${import.meta.dirname}/../..` },
  );
  const ratio = Number(/graph-throughput ratio (\S+)/.exec(stdout)?.[1]);
  expect(ratio, stdout + stderr).toBeGreaterThan(0.33); // the reach is 0.5, on a machine that does nothing else
});

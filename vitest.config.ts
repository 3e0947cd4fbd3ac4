import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Tests compare texts without colors, also where CI asks for colors: child processes and libraries read these two.
delete process.env.FORCE_COLOR;
process.env.NO_COLOR = '1';

const src = join(import.meta.dirname, 'src');

export default defineConfig({
  resolve: {
    // A checkout is tested as it is, not as it was built.
    alias: [
      { find: /^weir-engine$/, replacement: join(src, 'index.ts') },
      { find: /^weir-engine\/([a-z]+)$/, replacement: join(src, '$1.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'fixtures/project/test/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    reporters: ['default', './test/reporter.ts'],
    pool: 'forks', // TensorFlow's addon fails in the second worker thread of a process
    maxWorkers: Math.max(2, availableParallelism() - 1), // most of a file's time is one thread of one process
    testTimeout: 600_000, // a guard against what hangs: tests wait for events, and pass on a machine in heavy use
    hookTimeout: 600_000,
  },
});

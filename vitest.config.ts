import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Tests compare texts without colors, also where CI asks for colors: child processes and libraries read these two.
delete process.env.FORCE_COLOR;
process.env.NO_COLOR = '1';

const all = ['test/**/*.test.ts', 'fixtures/project/test/*.test.ts'];
// One needs TensorFlow to be loaded by nobody yet, the other puts a module in the place of ours.
const alone = ['test/tensorflow/runtime.test.ts', 'test/data/augment/unfilled.test.ts'];
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
    globalSetup: ['test/setup.ts'],
    reporters: ['default', './test/reporter.ts'],
    pool: 'forks', // TensorFlow's addon fails in the second worker thread of a process
    setupFiles: ['test/environment.ts'],
    projects: [
      // Files share a process, so that TensorFlow and the modules are loaded once for many.
      { extends: true, test: { name: 'shared', include: all, exclude: alone, isolate: false } },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
    maxWorkers: Math.max(2, availableParallelism() - 1), // most of a file's time is one thread of one process
    testTimeout: 600_000, // a guard against what hangs: tests wait for events, and pass on a machine in heavy use
    hookTimeout: 600_000,
  },
});

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Tests compare texts without colors, also where CI asks for colors: child processes and libraries read these two.
delete process.env.FORCE_COLOR;
process.env.NO_COLOR = '1';

// One needs TensorFlow to be loaded by nobody yet, the other puts a module in the place of ours.
const alone = ['test/tensorflow/runtime.test.ts', 'test/data/augment/unfilled.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/setup.ts'],
    reporters: ['default', './test/reporter.ts'],
    pool: 'forks', // TensorFlow's addon fails in the second worker thread of a process
    setupFiles: ['test/environment.ts'],
    projects: [
      // Files share a process, so that TensorFlow and the modules are loaded once for many.
      { extends: true, test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: alone, isolate: false } },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
    maxWorkers: Math.max(2, availableParallelism() - 1), // most of a file's time is one thread of one process
    testTimeout: 600_000, // a guard against what hangs: tests wait for events, and pass on a machine in heavy use
    hookTimeout: 600_000,
  },
});

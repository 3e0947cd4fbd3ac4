import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    reporters: ['default', './test/reporter.ts'],
    pool: 'forks', // TensorFlow's addon fails in the second worker thread of a process
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

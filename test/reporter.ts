import type { Reporter, TestModule } from 'vitest/node';

/** Ends a test run with one plain line: N passed, N failed, N skipped. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state in counts) counts[state as keyof typeof counts]++;
      }
      if (module.state() === 'failed' && module.errors().length > 0) counts.failed++;
    }
    counts.failed += errors.length;
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}

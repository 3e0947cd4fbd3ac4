import { afterAll, vi } from 'vitest';
import { forgetNotices } from '../src/flow/terminal.js';

// Files of tests share a process: one leaves the environment as it found it, and what was said once is said to the next one too.
afterAll(() => {
  vi.unstubAllEnvs();
  forgetNotices();
});

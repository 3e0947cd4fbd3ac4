import { afterAll, vi } from 'vitest';

// Files of tests share a process: one leaves the environment as it found it.
afterAll(() => void vi.unstubAllEnvs());

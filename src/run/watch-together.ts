import type { Watch } from './execute.js';

/** Two who watch a run, as one. */
export const together = (first: Watch, second: Watch): Watch => ({
  network(...about) {
    first.network(...about);
    second.network(...about);
  },
  record(record) {
    first.record(record);
    second.record(record);
  },
  snapshot(...about) {
    first.snapshot(...about);
    second.snapshot(...about);
  },
  warn(message) {
    first.warn(message);
    second.warn(message);
  },
  rest() {
    first.rest();
    second.rest();
  },
  held(now) {
    first.held(now);
    second.held(now);
  },
});

import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import type { Clock } from '../surroundings/clock.js';

/** A scheduler for RxJS's operators whose time is that of a clock. */
export const schedulerOf = (clock: Clock): SchedulerLike => ({
  now: () => clock.date(),
  schedule(work, delay = 0, state) {
    const action = new ClockAction(clock, work as (this: SchedulerAction<unknown>, state?: unknown) => void);
    return action.schedule(state, delay);
  },
});

class ClockAction extends Subscription {
  constructor(
    private readonly clock: Clock,
    private readonly work: (this: SchedulerAction<unknown>, state?: unknown) => void,
  ) {
    super();
  }

  schedule(state?: unknown, delay = 0): Subscription {
    if (this.closed) return this;
    const takeBack = this.clock.after(delay, () => {
      this.remove(teardown);
      if (!this.closed) this.work(state);
    });
    const teardown = new Subscription(takeBack);
    this.add(teardown);
    return this;
  }
}

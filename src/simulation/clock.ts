import { keyed, type Random } from '../flow/random.js';
import type { Clock } from '../surroundings/clock.js';

/** How the machine of a simulation behaves. */
export interface Weather {
  /** Milliseconds that pass at one reading of the clock, at most. */
  readonly drift: number;
  /** The part of the readings at which the machine was busy elsewhere for a while. */
  readonly stalls: number;
  /** Milliseconds of such a while, at most. */
  readonly stall: number;
}

/** A machine on which nothing ever takes long. */
export const fair: Weather = { drift: 0.01, stalls: 0, stall: 0 };

interface Timer {
  readonly due: number;
  readonly call: () => void;
}

const begun = Date.UTC(2026, 0, 1); // the time of day at which a simulation begins

/**
 * An event loop in virtual time. The order of its calls, and the time that passes, are a function of the seed.
 *
 * What Node.js promises holds here too: calls by `soon` come in their order, timers by the time at which they are due. Which of the two
 * comes first is the seed's to say.
 */
export class SimulatedClock implements Clock {
  private time = 0;
  private readonly random: Random;
  private readonly calls: (() => void)[] = [];
  private readonly timers: Timer[] = []; // by the time at which they are due
  private readonly idle = new Set<() => void>();
  private alive = 0;
  private ended = false;

  constructor(
    seed: number,
    private readonly weather: Weather = fair,
  ) {
    this.random = keyed(seed, 'simulation/clock');
  }

  now(): number {
    const { drift, stalls, stall } = this.weather;
    this.time += drift * this.random.uniform();
    if (stalls > 0 && this.random.uniform() < stalls) this.time += stall * this.random.uniform();
    return this.time;
  }

  date(): number {
    return begun + Math.floor(this.time);
  }

  soon(call: () => void): void {
    this.calls.push(call);
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer: Timer = { due: this.time + Math.max(1, milliseconds), call };
    const before = this.timers.findIndex(({ due }) => due > timer.due);
    this.timers.splice(before < 0 ? this.timers.length : before, 0, timer);
    return () => {
      const at = this.timers.indexOf(timer);
      if (at >= 0) this.timers.splice(at, 1);
    };
  }

  stayAlive(): () => void {
    this.alive++;
    return () => void this.alive--;
  }

  whenIdle(call: () => void): () => void {
    this.idle.add(call);
    return () => this.idle.delete(call);
  }

  /** Ends the loop: no call comes any more, as in a process that was killed. */
  end(): void {
    this.ended = true;
  }

  /**
   * Makes all calls, until `over` says that it is enough, or nothing is left. Between two of them promises are settled.
   *
   * @param before is called before each call, with how many there were
   * @returns whether it ended with nothing left to call, though somebody kept the process alive
   */
  async run(over: () => boolean, before?: (calls: number) => void): Promise<boolean> {
    for (let count = 0; ; count++) {
      await settled();
      if (this.ended || over()) return false;
      before?.(count);
      const call = this.next();
      if (call !== undefined) call();
      else if (this.alive > 0 || !this.becomesIdle()) return this.alive > 0;
    }
  }

  private next(): (() => void) | undefined {
    const [first] = this.timers;
    const isDue = first !== undefined && first.due <= this.time;
    if (this.calls.length > 0 && !(isDue && this.random.uniform() < 0.5)) return this.calls.shift();
    if (first === undefined) return undefined;
    this.timers.shift();
    this.time = Math.max(this.time, first.due);
    return first.call;
  }

  /** Says that nothing is left to call. @returns whether somebody listened, who may have made new calls */
  private becomesIdle(): boolean {
    const listening = [...this.idle];
    this.idle.clear();
    for (const call of listening) call();
    return listening.length > 0;
  }
}

/** Settles all promises that wait for no call: a turn of the machine's own event loop. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

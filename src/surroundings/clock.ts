/** The time, and the calls that come with it. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** The time of day: milliseconds since 1970. */
  date(): number;
  /** Calls when the event loop has come round. */
  soon(call: () => void): void;
  /** Calls once, after so many milliseconds or a little later. @returns a function that takes the call back */
  after(milliseconds: number, call: () => void): () => void;
  /** Keeps the process alive though nothing is left to call, for somebody outside may ask. @returns a function that lets it go */
  stayAlive(): () => void;
  /** Calls once nothing is left that could call anybody, so that the process would end. @returns a function that takes the call back */
  whenIdle(call: () => void): () => void;
}

/** The clock of the machine, and the event loop of Node.js. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  soon: (call) => void setImmediate(call),

  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },

  stayAlive() {
    const timer = setInterval(() => undefined, 2 ** 30);
    return () => clearInterval(timer);
  },

  whenIdle(call) {
    process.once('beforeExit', call);
    return () => void process.off('beforeExit', call);
  },
};

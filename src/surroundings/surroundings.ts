import { type Clock, systemClock } from './clock.js';

/**
 * Everything that the engine takes from outside of itself, so that another can take its place: a simulation, in which time, the order of
 * calls and every fault are a function of a seed.
 *
 * Nothing of the engine reads a clock, sets a timer or opens a file but through here. What is here is swapped whole, for one flow runs at a
 * time in a process.
 */
export interface Surroundings {
  readonly clock: Clock;
}

const system: Surroundings = { clock: systemClock };

let current = system;

/** Milliseconds since some moment. */
export const now = (): number => current.clock.now();

/** The time of day: milliseconds since 1970. */
export const date = (): number => current.clock.date();

/** See {@link Clock.soon}. */
export const soon: Clock['soon'] = (call) => current.clock.soon(call);

/** See {@link Clock.after}. */
export const after: Clock['after'] = (milliseconds, call) => current.clock.after(milliseconds, call);

/** See {@link Clock.every}. */
export const every: Clock['every'] = (milliseconds, call) => current.clock.every(milliseconds, call);

/** See {@link Clock.whenIdle}. */
export const whenIdle: Clock['whenIdle'] = (call) => current.clock.whenIdle(call);

/** Has others take the place of the machine's until `run` has ended. */
export async function inSurroundings<T>(others: Surroundings, run: () => Promise<T>): Promise<T> {
  const before = current;
  current = others;
  try {
    return await run();
  } finally {
    current = before;
  }
}

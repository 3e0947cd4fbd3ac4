/** Where training is when an update is made. */
export interface Moment {
  /** Counted from 1. */
  readonly epoch: number;
  /** Updates so far, this one included. */
  readonly number: number;
}

/** A quantity as a function of where training is, such as a learning rate. */
export type Schedule = (at: Moment) => number;

/** The same at every update. */
export const constant =
  (value: number): Schedule =>
  () =>
    value;

/** A quantity that is given as a number or as a schedule, as a schedule. */
export const scheduled = (value: number | Schedule): Schedule => (typeof value === 'number' ? constant(value) : value);

/** `value` · `factor` ^ ⌊epochs done / `every`⌋, `every` in epochs. */
export const step =
  (value: number, { every, factor = 0.1 }: { every: number; factor?: number }): Schedule =>
  ({ epoch }) =>
    value * factor ** Math.floor((epoch - 1) / every);

/** From `value` down to `floor` along half a cosine over `epochs`: floor + (value − floor) · ½(1 + cos(π · epochs done / epochs)). */
export const cosine =
  (value: number, { epochs, floor = 0 }: { epochs: number; floor?: number }): Schedule =>
  ({ epoch }) =>
    floor + ((value - floor) * (1 + Math.cos((Math.PI * (epoch - 1)) / epochs))) / 2;

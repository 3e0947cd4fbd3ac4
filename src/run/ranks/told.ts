/** What the process of a rank tells its supervisor. */
export type Told =
  /** It is at rest after that update, having spent so many milliseconds in collectives. */
  | { readonly kind: 'at'; readonly update: number; readonly inCollectives: number }
  /** It ends because another rank is gone. */
  | { readonly kind: 'lost' };

/** Tells the supervisor; without one, nobody. */
export const tell = (told: Told): void => {
  if (process.connected) process.send?.(told);
};

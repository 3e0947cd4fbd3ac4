/** What the process of a rank tells its supervisor. */
export type RankReport =
  /** It is at rest after that update. */
  | { readonly kind: 'at'; readonly update: number }
  /** It begins the collective of that number, counted from 1, and waits for the others there. */
  | { readonly kind: 'waits'; readonly calls: number }
  /** It ends because another rank is gone: `why`, as TensorFlow says it. */
  | { readonly kind: 'lost'; readonly why?: string };

/**
 * Tells the supervisor; without one, nobody. One that was killed a moment ago is nobody too: the callback takes the error (EPIPE, a closed
 * channel) that would end this process otherwise, before 'disconnect' lets it stop in order.
 */
export const reportToSupervisor = (told: RankReport): void => {
  if (process.connected) process.send?.(told, undefined, undefined, () => undefined);
};

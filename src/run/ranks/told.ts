/** What the process of a rank tells its supervisor. */
export type Told =
  /** It is at rest after that update. */
  | { readonly kind: 'at'; readonly update: number }
  /** It begins its so manieth collective, and waits for the others there. */
  | { readonly kind: 'waits'; readonly calls: number }
  /** It ends because another rank is gone. */
  | { readonly kind: 'lost'; readonly why?: string };

/** Tells the supervisor; without one, nobody. */
export const tell = (told: Told): void => {
  if (process.connected) process.send?.(told);
};

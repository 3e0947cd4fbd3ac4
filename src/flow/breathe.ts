const longest = 5; // milliseconds that the event loop may be held by many short steps
let last = 0;

/** Lets timers, signals, taps and finished workers have their turn, unless they had it a moment ago. */
export function breathe(): Promise<void> | undefined {
  if (performance.now() - last < longest) return undefined;
  return new Promise((resolve) =>
    setImmediate(() => {
      last = performance.now();
      resolve();
    }),
  );
}

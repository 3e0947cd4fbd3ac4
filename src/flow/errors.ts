/**
 * An error that a user can act on: what went wrong (naming the stage, key, file or record), and what to do about it.
 *
 * Commands print both lines and no stack; a programming error is any other `Error`.
 */
export class WeirError extends Error {
  override name = 'WeirError';

  constructor(
    message: string,
    /** What would be right, or what to do, as one sentence. */
    readonly remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const places = new WeakMap<Error, string>();

/** Notes where in the graph an error came up, such as "in stage 'batch'", unless that is known already. @returns the error */
export function withLocation<E>(place: string, error: E): E {
  if (error instanceof Error && !places.has(error)) places.set(error, place);
  return error;
}

/** Where in the graph an error came up, where that is known. */
export const locationOf = (error: Error): string | undefined => places.get(error);

/** A stage was handed more items than it may hold at once. */
export class OverLimit extends WeirError {
  override name = 'OverLimit';

  constructor(stage: string, limit: number) {
    super(
      `stage '${stage}' was handed more than the ${limit} items it may hold`,
      'feed it from a source with demand, or raise its limit',
    );
  }
}

/** Weights were claimed for an update after training had gone on to a later one. */
export class StaleClaim extends WeirError {
  override name = 'StaleClaim';

  constructor(stage: string, position: number) {
    super(
      `stage '${stage}' claims the weights as they were after sample ${position}, but training has moved on`,
      'claim them when the update arrives: put no delay, debounce or buffer before this stage, and use atEnd() to wait for the last update',
    );
  }
}

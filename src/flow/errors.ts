/**
 * An error that a user can act on: the message names the stage, key, file or record, and the remedy says how to go on.
 *
 * Commands print both lines and no stack; a programming error is any other `Error`.
 *
 * @example throw new WeirError(`'${file}' has no column 'label'`, 'name the column of the labels: csv(file, { label: … })');
 */
export class WeirError extends Error {
  override name = 'WeirError';

  constructor(
    message: string,
    /** How to go on, as one sentence. */
    readonly remedy?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const locations = new WeakMap<Error, string>();

/** Notes the location of an error in the graph, such as "in stage 'batch'", unless it has one already. @returns the error */
export function withLocation<E>(location: string, error: E): E {
  if (error instanceof Error && !locations.has(error)) locations.set(error, location);
  return error;
}

/** The location of an error in the graph, where it is known. */
export const locationOf = (error: Error): string | undefined => locations.get(error);

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

/**
 * The range of an axis that a few values would flatten, in the report and on the monitor's page: from the 2nd to the 98th percentile, with
 * some air. Null where all values take hardly more room, or are too few to tell.
 */
export function robustRange(all: readonly number[], scale: 'log' | 'linear'): readonly [number, number] | null;

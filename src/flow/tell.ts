import { toError, visibleLine } from './core-terminal.js';

const told = new Set<string>();

/**
 * Tells the user something that is no error, on standard error: once in a process, for a graph is wired more than once, to be tried and
 * for every network.
 */
export function tellOnce(line: string): void {
  if (told.has(line)) return;
  told.add(line);
  toError(`${visibleLine(line)}\n`);
}

import pc from 'picocolors';
import { WeirError } from '../../core/errors.js';

/** An error as a user reads it: what happened and what to do; with its stack only where it is a fault of Weir's own. */
export function shown(error: unknown): string {
  if (error instanceof WeirError) {
    const remedy = error.remedy === undefined ? '' : `\n  ${pc.dim('→')} ${error.remedy}`;
    return `${pc.red('weir:')} ${error.message}${remedy}`;
  }
  if (error instanceof Error && process.env.WEIR_DEBUG === undefined) {
    return `${pc.red('weir:')} ${error.message}\n  ${pc.dim('→')} this may be a fault in Weir or in the pipeline: WEIR_DEBUG=1 shows where`;
  }
  return `${pc.red('weir:')} ${error instanceof Error ? error.stack : String(error)}`;
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WeirError } from '../flow/errors.js';
import type { Pipeline } from './run-pipeline.js';
import { sourcesAreModules } from './typescript.js';
import { whereInWords } from './where.js';

/** The pipeline that a TypeScript or JavaScript module exports by default. @throws {WeirError} naming the module. */
export async function loadPipeline(module: string): Promise<Pipeline> {
  const file = resolve(module);
  if (!existsSync(file)) {
    throw new WeirError(
      `there is no pipeline module ${module}`,
      'give the path of a module, such as pipelines/mnist.ts',
    );
  }
  let loaded: { readonly default?: Partial<Pipeline> };
  sourcesAreModules();
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    throw new WeirError(`pipeline module ${module} failed while loading: ${cause.message}`, whereIn(cause), {
      cause,
    });
  }
  const found = loaded.default;
  if (typeof found?.name === 'string' && typeof found.wire === 'function' && typeof found.networks === 'function') {
    return found as Pipeline;
  }
  throw new WeirError(
    `pipeline module ${module} exports no pipeline`,
    'write `export default weir.pipeline({ name, config, wire })`',
  );
}

/** The line of the user's own file that the error came from. */
function whereIn(error: Error): string {
  const where = whereInWords(error);
  return where === undefined ? 'mend it, or see all of it with WEIR_DEBUG=1' : `see ${where.replace(/^at /, '')}`;
}

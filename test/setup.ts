import { plainLines, SetUpFailure } from '../src/tensorflow/install/progress.js';
import { setUp } from '../src/tensorflow/install/setup.js';

/**
 * Runs once before all tests: puts the native runtime in place, so that test files need not wait for each other. Where it
 * cannot be had, says so once and lets the tests run on WebAssembly; those that need the native one are then skipped by name.
 */
export default async function setup(): Promise<void> {
  const asked = process.env.WEIR_RUNTIME || 'auto';
  if (asked === 'wasm') return;
  const say = (line: string) => console.error(line);
  try {
    await setUp({ runtime: asked === 'cpu' || asked === 'gpu' ? asked : 'auto', progress: plainLines(say) });
  } catch (error) {
    if (asked !== 'auto' || !(error instanceof SetUpFailure)) throw error;
    say(`tests run on WebAssembly: ${error.message}; ${error.remedy}`);
    process.env.WEIR_RUNTIME = 'wasm';
  }
}

import { existsSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * Runs one benchmark: `npm run bench -- NAME`. Each is a module of this folder that exports `bench`, which prints its numbers
 * and says whether its target was reached; the exit status is 0 where it was.
 */
const [name, ...options] = process.argv.slice(2);
const helpers = ['run.ts', 'compare.ts'];
const file = `${import.meta.dirname}/${name}.ts`;

if (name === undefined || helpers.includes(`${name}.ts`) || !existsSync(file)) {
  const names = readdirSync(import.meta.dirname).filter((entry) => entry.endsWith('.ts') && !helpers.includes(entry));
  console.error(`name one benchmark: ${names.map((entry) => entry.slice(0, -3)).join(', ')}`);
  process.exitCode = 1;
} else {
  const { bench } = (await import(pathToFileURL(file).href)) as { bench: (options: string[]) => Promise<boolean> };
  process.exitCode = (await bench(options)) ? 0 : 1;
}

// Plain JavaScript: it lets Node read TypeScript.
import { readFileSync } from 'node:fs';
import { register as addHooks } from 'node:module';
import { compiledCache } from '../storage/folders.js';

export async function readTypeScript() {
  const variables = compiledCache();
  const before = Object.keys(variables).map((name) => [name, process.env[name]]);
  Object.assign(process.env, variables); // tsx looks at them once, as it is loaded
  try {
    const { register } = await import('tsx/esm/api');
    register();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

export function sourcesAreModules() {
  if (told) return;
  told = true;
  addHooks(`data:text/javascript,${encodeURIComponent(asModules)}`);
}

let told = false;

const here = new URL('../../package.json', import.meta.url);
const { name } = JSON.parse(readFileSync(here, 'utf8'));

// A .ts file in a folder without a package.json counts as CommonJS for Node, and Weir's own modules would be loaded for it once more.
// A module in a folder that has no copy of Weir, or of RxJS, gets those that run it.
const asModules = `
  const isSource = (url) => url.startsWith('file:') && /\\.ts$/.test(url.split('?')[0]) && !url.includes('/node_modules/');
  const isShared = (specifier) => ${JSON.stringify([name, 'rxjs'])}.includes(specifier.split('/')[0]);
  export async function resolve(specifier, context, next) {
    let found;
    try {
      found = await next(specifier, context);
    } catch (error) {
      if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !isShared(specifier)) throw error;
      found = await next(specifier, { ...context, parentURL: ${JSON.stringify(here.href)} });
    }
    return isSource(found.url) ? { ...found, format: 'module' } : found;
  }
  export const load = (url, context, next) => next(url, isSource(url) ? { ...context, format: 'module' } : context);
`;

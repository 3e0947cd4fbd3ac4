// Plain JavaScript: it lets Node read TypeScript.
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

// A .ts file in a folder without a package.json counts as CommonJS for Node, and Weir's own modules would be loaded for it once more.
const asModules = `
  const isSource = (url) => url.startsWith('file:') && /\\.ts$/.test(url.split('?')[0]) && !url.includes('/node_modules/');
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    return isSource(found.url) ? { ...found, format: 'module' } : found;
  }
  export const load = (url, context, next) => next(url, isSource(url) ? { ...context, format: 'module' } : context);
`;

// Plain JavaScript: it lets Node read TypeScript.
import { existsSync } from 'node:fs';
import { register as addHooks } from 'node:module';
import { compiledCache } from '../surroundings/folders.js';

const weir = new URL('..', import.meta.url);

export function extension() {
  return existsSync(new URL('index.ts', weir)) ? '.ts' : '.js';
}

export const workerFile = (name) => new URL(`${extension() === '.ts' ? '../' : ''}workers/${name}`, weir);

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

export async function readModules() {
  if (reading) return reading;
  reading = extension() === '.ts' ? Promise.resolve() : readTypeScript(); // from its sources, Weir reads TypeScript already
  await reading;
  addHooks(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

let reading;

// `weir-engine` is the copy that runs, wherever the module lies: a second copy would have stages and errors of its own. RxJS is the
// module's, or where it has none that of Weir.
// A .ts file in a folder without a package.json counts as CommonJS for Node, and Weir's own modules would be loaded for it once more.
const hooks = `
  const isSource = (url) => url.startsWith('file:') && /\\.ts$/.test(url.split('?')[0]) && !url.includes('/node_modules/');
  const found = (specifier, context, next) => {
    const entry = /^weir-engine(?:\\/([a-z]+))?$/.exec(specifier);
    return next(entry ? ${JSON.stringify(weir.href)} + (entry[1] ?? 'index') + '${extension()}' : specifier, context);
  };
  export async function resolve(specifier, context, next) {
    let there;
    try {
      there = await found(specifier, context, next);
    } catch (error) {
      if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !/^rxjs(\\/|$)/.test(specifier)) throw error;
      there = await next(specifier, { ...context, parentURL: ${JSON.stringify(weir.href)} });
    }
    return isSource(there.url) ? { ...there, format: 'module' } : there;
  }
  export const load = (url, context, next) => next(url, isSource(url) ? { ...context, format: 'module' } : context);
`;

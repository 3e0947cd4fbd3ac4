// A hook of Node: a module outside of the checkout that was edited is another module.
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const checkout = new URL('../../', import.meta.url).href;

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  if (!found.url.startsWith('file:') || found.url.startsWith(checkout) || found.url.includes('/node_modules/'))
    return found;
  const { mtimeNs, ino } = statSync(fileURLToPath(found.url), { bigint: true });
  return { ...found, url: `${found.url.split('?')[0]}?${ino}-${mtimeNs}` };
}

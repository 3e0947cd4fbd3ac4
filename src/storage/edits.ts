import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from './folder.js';
import { configChanges, type Identity } from './identity-identity.js';

/**
 * What of a run's config and seed was edited since the run was last taken up, a sentence each; none where its folder keeps no identity.
 *
 * @throws {SyntaxError} where what it keeps is damaged
 */
export function editsOf({ path, started }: RunFolder): readonly string[] {
  const file = join(path, 'identity.json');
  if (!existsSync(file)) return [];
  const { identities = [] } = JSON.parse(readFileSync(file, 'utf8')) as { readonly identities?: readonly Identity[] };
  const { config, seed } = JSON.parse(JSON.stringify(started)) as Pick<Identity, 'config' | 'seed'>;
  const newest = identities.at(-1);
  return newest === undefined ? [] : configChanges(newest, { config, seed });
}

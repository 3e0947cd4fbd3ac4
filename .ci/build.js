/**
 * Builds what the package holds into `dist`: the sources as JavaScript with types, by tsc, and the files beside them that are no
 * TypeScript. It lies as `src` does, so that a path from one module to another file is the same in both.
 *
 * The package also holds a copy of @tensorflow/tfjs-node-gpu (`bundleDependencies`), whose install script would download an old library.
 * npm runs the scripts of bundled packages too, so the script is taken out of the copy in node_modules before it is packed. Its
 * dependencies are listed as Weir's own: npm would bundle them otherwise, 270 MB of them, and TensorFlow.js would be there twice.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { transformSync } from 'esbuild';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const at = (...parts) => join(root, ...parts);

rmSync(at('dist'), { recursive: true, force: true });
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('.ci/tsconfig.json')], {
  stdio: 'inherit',
});
// the workers, which lie beside `src`, lie in it here
mkdirSync(at('dist/workers'));
for (const name of ['augment.ts', 'monitor.js']) {
  const source = readFileSync(at('workers', name), 'utf8')
    .replaceAll("'../src/", "'../")
    .replaceAll('`../src/', '`../');
  writeFileSync(at('dist/workers', name.replace(/\.ts$/, '.js')), transformSync(source, { loader: 'ts' }).code);
}

const left = /(?<!\.d)\.ts$|src[\\/]weir\.js$|README\.md$|tsconfig\.json$|kernels[\\/]assembly$/; // compiled, or of use in a checkout alone
cpSync(at('src'), at('dist'), { recursive: true, filter: (path) => !left.test(path) });

const manifest = require.resolve('@tensorflow/tfjs-node-gpu/package.json');
const { name, version, main, types, repository, license, engines, binary } = JSON.parse(readFileSync(manifest, 'utf8'));
const bundled = {
  ...{ name, version, main, types, repository, license, engines, binary },
  gypfile: false,
  files: ['dist/**/*.js', '!dist/**/*_test.js', 'dist/**/*.d.ts', 'binding/*.cc', 'binding/*.h'],
  comment: 'changed by weir-engine: without scripts, for `weir setup` takes the place of its install script',
};
writeFileSync(`${manifest}.part`, `${JSON.stringify(bundled, null, 2)}\n`);
renameSync(`${manifest}.part`, manifest); // node_modules may be hard links to those of another checkout

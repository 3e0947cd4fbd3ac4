import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCES = new URL('./assembly/', import.meta.url);

/** The compiled kernels, as they are committed. */
export const KERNELS_FILE = new URL('./kernels.wasm', import.meta.url);

/** The section of `kernels.wasm` that holds the hash of its sources, in hex. */
export const HASH_SECTION = 'source-sha256';

/** SHA-256 of the names and texts of all sources. */
export function sourceHash(): string {
  const hash = createHash('sha256');
  const files = readdirSync(SOURCES).filter((name) => name.endsWith('.ts'));
  for (const name of files.sort()) hash.update(`${name}\0${readFileSync(new URL(name, SOURCES), 'utf8')}\0`);
  return hash.digest('hex');
}

// Warning 112 says that JavaScript cannot take a v128: only functions inside of the module do.
const OPTIONS = [
  'index.ts',
  '--baseDir',
  fileURLToPath(SOURCES),
  '--outFile',
  'kernels.wasm',
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--disableWarning',
  '112',
];

/** Compiles the sources. @throws an Error with the compiler's messages */
export async function compileKernels(): Promise<Uint8Array> {
  const asc = await import('assemblyscript/asc');
  let compiled: Uint8Array | undefined;
  const { error, stderr } = await asc.main(OPTIONS, {
    writeFile: (_name, contents) => {
      compiled = contents as Uint8Array;
    },
  });
  if (error || compiled === undefined) throw new Error(`the kernels do not compile: ${stderr.toString()}`);
  return Buffer.concat([compiled, customSection(HASH_SECTION, sourceHash())]);
}

/** A section that engines pass over: id 0, then length, name and content; both texts are shorter than 128 bytes together. */
function customSection(name: string, content: string): Uint8Array {
  const body = Buffer.from(`${String.fromCharCode(name.length)}${name}${content}`, 'latin1');
  return Buffer.concat([Buffer.of(0, body.length), body]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(KERNELS_FILE, await compileKernels());

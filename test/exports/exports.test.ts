import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Symbol as Exported, SymbolFlags } from 'typescript/unstable/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Declarations, entries } from './declarations.js';

const root = join(import.meta.dirname, '../..');
const contextFile = join(import.meta.dirname, 'context.d.ts');
const context = new Set(
  [...readFileSync(contextFile, 'utf8').matchAll(/^export declare const ([\w$]+)/gm)].map(([, name]) => name!),
);

const runs = join(root, 'runs');
let folder: string;
let declarations: Declarations;
beforeAll(() => {
  mkdirSync(runs, { recursive: true });
  folder = mkdtempSync(join(runs, 'exports-'));
  declarations = new Declarations(folder);
});
afterAll(() => {
  declarations?.close();
  rmSync(folder, { recursive: true });
});

test.each(entries)('every type in the signatures of %s can be imported, from there or from weir-engine', (entry) => {
  const exported = declarations.exportsOf(entry);
  const named = new Set([...exported, ...declarations.exportsOf('index')]);
  const met = new Set(exported);
  const nameless: string[] = [];
  for (const one of met) {
    for (const type of declarations.typesIn(one).filter((type) => !met.has(type))) {
      met.add(type);
      if (!named.has(type)) nameless.push(`${type.name}, in ${one.name}`);
    }
  }
  expect(exported.length).toBeGreaterThan(5);
  expect(nameless).toEqual([]);
});

/** The examples in the doc comment of an exported value or type. */
const examplesOf = (one: Exported): string[] =>
  declarations.project.checker
    .getJsDocTagsOfSymbol(one)
    .flatMap(({ name, text = '' }) => (name === 'example' ? [text] : []));

const contracts = `Model Weights Loss Optimizer Regularizer AttackMethod RecordSchema Dataset OpDefinition Stage Positioned WeirError tf`;

test('every exported function, and every contract, has an example', () => {
  const exported = new Set(entries.flatMap((entry) => declarations.exportsOf(entry)));
  const wanted = [...exported].filter(
    ({ name, flags }) => flags & SymbolFlags.Function || contracts.split(' ').includes(name),
  );
  expect(wanted.filter((one) => examplesOf(one).length === 0).map(({ name }) => name)).toEqual([]);
});

test('every example compiles', () => {
  const programs = new Map<string, string>();
  for (const entry of entries) {
    const text = readFileSync(join(folder, `${entry}.d.ts`), 'utf8');
    const ofPage = /^ \* @example\n([\s\S]*?)\n \*\n \* @module/m.exec(text)?.[1]?.replace(/^ \* ?/gm, '') ?? '';
    const found = declarations.exportsOf(entry).map((one) => [one.name, examplesOf(one)] as const);
    for (const [name, examples] of [['page', ofPage === '' ? [] : [ofPage]] as const, ...found]) {
      for (const one of examples) programs.set(`example-${programs.size}-${name}-of-${entry}.ts`, programOf(one));
    }
  }
  for (const [name, text] of programs) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'all.d.ts'), entries.map((entry) => `export * from './${entry}.js';\n`).join(''));
  copyFileSync(contextFile, join(folder, 'context.d.ts'));
  const { program } = declarations.open('examples.json', ['context.d.ts', ...programs.keys()]);
  const errors = [program.getProgramDiagnostics(), program.getSyntacticDiagnostics(), program.getSemanticDiagnostics()];
  expect(programs.size).toBeGreaterThan(100);
  expect(errors.flat().map(({ fileName = '', text }) => `${basename(fileName)}: ${text}`)).toEqual([]);
});

/**
 * An example as a module. One without imports has all of Weir by its names. Modules of the reader's own are of the context, and so is a name
 * such as `train` where it is no function.
 */
function programOf(example: string): string {
  const imports = (example.match(/^import .*;$/gm) ?? []).filter((line) => !line.includes("from '."));
  const body = example
    .replace(/^import .*;$/gm, '')
    .replace(/^export default /gm, 'const made = ')
    .replace(/^export /gm, '');
  const words = [...new Set(body.match(/(?<![\w$]|(?<!\.\.)\.)[\w$]+(?![\w$:])/g))];
  const exported = new Set(imports.length > 0 ? [] : entries.flatMap((entry) => declarations.namesIn(entry)));
  const ofWeir = words.filter((name) => exported.has(name) && (body.includes(`${name}(`) || !context.has(name)));
  const ofContext = words.filter(
    (name) => context.has(name) && !imports.join().includes(name) && !ofWeir.includes(name),
  );
  if (imports.length === 0) imports.push("import * as weir from 'weir-engine';");
  return `${imports.join('\n')}
import { ${ofWeir.join(', ')} } from './all.js';
import { ${ofContext.join(', ')} } from './context.js';
export async function example() {
${body}
}
`;
}

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file that a recipe creates, or one that it changes by adding lines beside others. */
type Edit =
  | { readonly kind: 'create'; readonly file: string; readonly text: string }
  | { readonly kind: 'change'; readonly file: string; readonly hunks: readonly Hunk[] };

/** Lines of a file, and the lines that take their place. */
interface Hunk {
  readonly before: string;
  readonly after: string;
}

/** How to add one thing, as a chapter of a page shows it. */
export interface Recipe {
  readonly title: string;
  readonly edits: readonly Edit[];
}

/**
 * The recipes of a Markdown text: every heading of the third level with code blocks under it.
 *
 * A block of `ts` is a new file; its first line says which: `// src/…`. A block of `diff` changes a file: its first line says which,
 * `--- src/…`; hunks are parted by `@@`, and a line begins with ' ', '+' or '-' as in any diff.
 *
 * @throws where a block does not name its file
 */
export function recipesOf(markdown: string): Recipe[] {
  const found: { title: string; edits: Edit[] }[] = [];
  for (const [, heading, language, body] of markdown.matchAll(/^### (.*)$|^```(ts|diff)\n([\s\S]*?)^```$/gm)) {
    if (heading !== undefined) found.push({ title: heading, edits: [] });
    else found.at(-1)!.edits.push(language === 'ts' ? creation(body!) : change(body!));
  }
  return found.filter(({ edits }) => edits.length > 0);
}

function creation(body: string): Edit {
  const [, file, text] = /^\/\/ (\S+)\n([\s\S]*)$/.exec(body) ?? [];
  if (file === undefined) throw new Error(`a block does not begin with its file's name: ${body.split('\n')[0]}`);
  return { kind: 'create', file, text: text! };
}

function change(body: string): Edit {
  const [, file, lines] = /^--- (\S+)\n([\s\S]*)$/.exec(body) ?? [];
  if (file === undefined) throw new Error(`a diff does not begin with its file's name: ${body.split('\n')[0]}`);
  const hunks = lines!.split(/^@@.*\n/m).filter((hunk) => hunk !== '');
  return { kind: 'change', file, hunks: hunks.map(hunkOf) };
}

function hunkOf(text: string): Hunk {
  const lines = text.split(/(?<=\n)/);
  const without = (sign: string): string => lines.flatMap((line) => (line[0] === sign ? [] : [line.slice(1)])).join('');
  return { before: without('+'), after: without('-') };
}

/**
 * Does to a folder what a recipe says.
 *
 * @returns the files that it created or changed
 * @throws where a new file is there already, or the lines to change stand in their file never or more than once
 */
export function apply({ title, edits }: Recipe, folder: string): string[] {
  for (const edit of edits) {
    const path = join(folder, edit.file);
    if (edit.kind === 'create') {
      if (existsSync(path)) throw new Error(`${title}: ${edit.file} is there already`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, edit.text);
      continue;
    }
    let text = readFileSync(path, 'utf8');
    for (const { before, after } of edit.hunks) {
      const times = text.split(before).length - 1;
      if (times !== 1) throw new Error(`${title}: these lines stand ${times} times in ${edit.file}:\n${before}`);
      text = text.replace(before, () => after);
    }
    writeFileSync(path, text);
  }
  return [...new Set(edits.map(({ file }) => file))];
}

/** A snippet of a page, as it stands there. */
export interface Snippet {
  readonly page: string;
  readonly section: string;
  readonly language: 'ts' | 'sh' | 'python';
  /** The file that a program goes into, as its first line says; '' for commands. */
  readonly file: string;
  readonly text: string;
}

/**
 * The snippets of a Markdown text that are to be run, in order.
 *
 * @param chapters headings of the second level whose snippets count; all of the page where none is named
 * @throws where a chapter is missing, none has a snippet, one is in a language that is not run, or a program does not name its file
 */
export function snippetsOf(markdown: string, page: string, chapters: readonly string[] = []): Snippet[] {
  const found: Snippet[] = [];
  const seen = new Set<string>();
  let section = page;
  for (const [, level, heading, language, body] of markdown.matchAll(/^(##+) (.*)$|^```(\w*).*\n([\s\S]*?)^```$/gm)) {
    if (level === '##') seen.add(heading!);
    if (heading !== undefined) section = heading;
    else if (language !== 'mermaid' && (chapters.length === 0 || chapters.includes(section)))
      found.push(snippet(page, section, language!, body!));
  }
  const missing = chapters.filter((chapter) => !seen.has(chapter));
  if (missing.length > 0) throw new Error(`${page} has no chapter '${missing.join("', '")}'`);
  if (found.length === 0) throw new Error(`${page} has no snippet to run`);
  return found;
}

function snippet(page: string, section: string, language: string, text: string): Snippet {
  if (language === 'sh') return { page, section, language, file: '', text };
  if (language !== 'ts' && language !== 'python')
    throw new Error(`${page}: '${section}' has a snippet in '${language}'`);
  const [, file] = /^(?:\/\/|#) (\S+\.(?:ts|py))\n/.exec(text) ?? [];
  if (file === undefined) throw new Error(`${page}: a snippet of '${section}' does not begin with its file's name`);
  return { page, section, language, file, text };
}

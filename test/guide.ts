/** A snippet of a guide, as it stands there. */
export interface Snippet {
  readonly section: string;
  readonly language: 'ts' | 'sh' | 'python';
  /** The file that a program goes into, as its first line says; '' for commands. */
  readonly file: string;
  readonly text: string;
}

/**
 * The snippets of a chapter of a Markdown text, in order.
 *
 * @throws where there is none, one is in a language that is not run, or a program does not say its file
 */
export function snippetsOf(markdown: string, chapter: string): Snippet[] {
  const [, text] = new RegExp(`\\n## ${chapter}\\n(.*?)(?=\\n## )`, 's').exec(markdown) ?? [];
  if (text === undefined) throw new Error(`there is no chapter '${chapter}'`);
  const found: Snippet[] = [];
  let section = chapter;
  for (const [, heading, language, body] of text.matchAll(/^### (.*)$|^```(\w*).*\n([\s\S]*?)^```$/gm)) {
    if (heading !== undefined) section = heading;
    else found.push(snippet(section, language!, body!));
  }
  return found;
}

function snippet(section: string, language: string, text: string): Snippet {
  if (language === 'sh') return { section, language, file: '', text };
  if (language !== 'ts' && language !== 'python') throw new Error(`'${section}' has a snippet in '${language}'`);
  const [, file] = /^(?:\/\/|#) (\S+\.(?:ts|py))\n/.exec(text) ?? [];
  if (file === undefined) throw new Error(`a snippet of '${section}' does not begin with its file's name`);
  return { section, language, file, text };
}

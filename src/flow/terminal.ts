import { isatty } from 'node:tty';

/** Control characters of both blocks but for tab and line feed, and the characters that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for them
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** The colors that Weir writes itself, and the end of one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for them
const COLOR = /(\u001b\[(?:[0-9]|2[2-9]|3[0-9]|4[0-9]|9[0-7]|10[0-7])m)/;

const escaped = (one: string): string => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Foreign text made safe for a terminal: the name of a folder, a file or a class, the message of a failure. A control character could
 * clear the screen, write over lines or set the clipboard. It reads `\u001b` instead, as in JSON.
 */
export const visible = (text: string): string => text.replace(CONTROL, escaped);

/** The same for text that must stay one line. */
export const visibleLine = (text: string): string => visible(text).replace(/\n/g, '\\n');

/** The same for a text of Weir's own, whose colors stay. */
export const visibleButColors = (text: string): string =>
  text
    .split(COLOR)
    .map((part, i) => (i % 2 === 1 ? part : visible(part)))
    .join('');

/** Writes to standard output: all that Weir prints goes through here, or through `toError`. @returns false where it is full */
export const toOutput = (text: string): boolean => process.stdout.write(safe(text, process.stdout));

/** Writes to standard error. */
export const toError = (text: string): boolean => process.stderr.write(safe(text, process.stderr));

const safe = (text: string, { fd }: { readonly fd: number }): string =>
  isatty(fd) || process.env.FORCE_COLOR !== undefined ? visibleButColors(text) : visible(text);

const noticed = new Set<string>();

/**
 * Writes a notice, which is no error, to standard error. Each is written once in a process, for a graph is wired more than once: to be
 * tried, and for every network.
 */
export function noticeOnce(line: string): void {
  if (noticed.has(line)) return;
  noticed.add(line);
  toError(`${visibleLine(line)}\n`);
}

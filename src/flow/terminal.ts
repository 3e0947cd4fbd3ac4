import { isatty } from 'node:tty';
import stringWidth from 'string-width';

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

/** Lets every notice be said again: for tests that share a process. */
export const forgetNotices = (): void => noticed.clear();

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Columns that a text takes on a terminal: East Asian scripts and pictures take two a letter, colors none. */
export const columns = (text: string): number => stringWidth(text);

/** The text, or as much of its beginning as fits, then `…`. Meant for text without colors. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let [beginning, sum] = ['', 0];
  for (const { segment } of letters.segment(text)) {
    sum += columns(segment);
    if (sum > width - 1) break;
    beginning += segment;
  }
  return width > 0 ? `${beginning}…` : '';
}

/**
 * Rows as lines for a terminal: cells of a column begin below one another, two spaces after the widest; nothing follows the last cell.
 *
 * @param rows may be of different lengths, and hold colors
 * @param width columns that a line may take; only for rows without colors
 * @example textTable([['edge', 'queue'], ['batches', '12']]) // ['edge     queue', 'batches  12']
 */
export function textTable(
  rows: readonly (readonly string[])[],
  { width = Number.POSITIVE_INFINITY }: { readonly width?: number } = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, columns(cell));
  }
  return rows.map((row) =>
    cut(
      row
        .map((cell, i) => cell + ' '.repeat(widths[i]! - columns(cell)))
        .join('  ')
        .trimEnd(),
      width,
    ),
  );
}

/** What is written to: standard error of a command, or a list in a test. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/**
 * Draws lines over the ones that it drew before. Only for a screen that can move its cursor.
 *
 * By hand, for `log-update` 8 (seven packages) wants Node 22, keeps the last lines where a window is too low for all, not the head of a
 * table, does not count rows anew when a narrower window has folded what it drew, and hides the cursor by a signal handler of its own.
 */
export class LiveDisplay {
  private drawn: readonly string[] = [];

  constructor(private readonly screen: Screen) {}

  /** Columns that a line may take. */
  get width(): number {
    return Math.max(1, (this.screen.columns || 80) - 1);
  }

  /** Lines that may be drawn: one scrolled away cannot be gone back to. */
  get height(): number {
    return Math.max(1, (this.screen.rows || 24) - 1);
  }

  /** The lines, as many as there is room for; `above` stays, over them. */
  draw(lines: readonly string[], above = ''): void {
    const shown = lines.slice(0, this.height);
    // One write, each line wiped behind its end: nothing flickers.
    this.screen.write(`${this.back()}${above}${shown.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    this.drawn = shown;
  }

  /** Leaves what is drawn standing. */
  end(): void {
    this.drawn = [];
  }

  /** Up to the first line of what was drawn, however a narrower window has folded it since. */
  private back(): string {
    const width = Math.max(1, this.screen.columns || 80);
    const rows = this.drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / width)), 0);
    return rows > 0 ? `\x1b[${rows}A\r` : '';
  }
}

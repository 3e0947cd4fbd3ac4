import { stripVTControlCharacters } from 'node:util';

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

// What terminals draw two columns wide: East Asian scripts and their full-width forms, and pictures.
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\ufe0f/u;
const NOTHING = /^[\p{Control}\p{Mark}\p{Format}]+$/u;

/** Columns that a text takes on a terminal; colors take none. */
export function columns(text: string): number {
  let sum = 0;
  for (const { segment } of letters.segment(stripVTControlCharacters(text))) sum += wide(segment);
  return sum;
}

/** The text, or as much of its beginning as fits, then `…`. Meant for text without colors. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let [kept, sum] = ['', 0];
  for (const { segment } of letters.segment(text)) {
    sum += wide(segment);
    if (sum > width - 1) break;
    kept += segment;
  }
  return width > 0 ? `${kept}…` : '';
}

function wide(letter: string): number {
  if (NOTHING.test(letter)) return 0;
  return WIDE.test(letter) ? 2 : 1;
}

/** What is written to: standard error of a command, or a list in a test. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** Draws lines over the ones that it drew before. Only for a screen that can move its cursor. */
export class InPlace {
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

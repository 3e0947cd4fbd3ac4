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

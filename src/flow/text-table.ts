import stringWidth from 'string-width';

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

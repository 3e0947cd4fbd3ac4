import { markStyle } from './style.js';

/** Text as HTML and SVG may hold it, in an element or a quoted attribute. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Numbers as a reader sees them; a dash where there is none. */
export const NONE = '–';

/** With the minus sign of print, U+2212, where a text has a hyphen before a digit. */
export const minus = (text: string): string => text.replace(/-(?=[\d∞.])/g, '−');

/** So many places after the point, with a true minus sign. */
export const fixed = (value: number, places: number): string => minus(value.toFixed(places));

/** Three significant digits, or as many as asked; no exponent between 0.001 and a million. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return minus(value.toExponential(digits - 1).replace('e+', 'e'));
  const whole = size === 0 ? 1 : Math.floor(Math.log10(size)) + 1;
  return fixed(value, Math.max(0, Math.min(digits - whole, 6)));
}

/** A fraction as per cent, with one digit after the point, or as many as asked. */
export function percent(fraction: number | null | undefined, digits = 1): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return NONE;
  return `${fixed(100 * fraction, digits)} %`;
}

/** Counts with thousands set apart. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? NONE
    : Math.round(value).toLocaleString('en-US');
}

/** The places after the point that a column of values and their spreads has: as many as show the least spread, or three digits. */
export function placesFor(
  column: readonly { readonly value: number | null; readonly spread: number | null }[],
): number {
  const digitsOf = (size: number, digits: number) => digits - 1 - Math.floor(Math.log10(size));
  const finite = (all: readonly (number | null)[]) =>
    all.filter((one): one is number => one !== null && one !== 0 && Number.isFinite(one));
  const spreads = finite(column.map(({ spread }) => spread)).map((size) => digitsOf(Math.abs(size), 2));
  const values = finite(column.map(({ value }) => value)).map((size) => digitsOf(Math.abs(size), 3));
  const wanted = spreads.length > 0 ? Math.max(...spreads) : Math.max(0, ...values);
  return Math.max(0, Math.min(wanted, 4));
}

/** `value ± spread`, with as many places as show the spread, or as asked; the value alone where no spread is known. */
export function plusMinus(value: number | null, spread: number | null, decimals?: number): string {
  if (value === null) return NONE;
  if (spread === null) return decimals === undefined ? number(value) : fixed(value, decimals);
  const shown = decimals ?? (spread > 0 ? Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(spread)))) : 3);
  return `${fixed(value, shown)} ± ${fixed(spread, shown)}`;
}

/** Seconds in the two units that matter: `1 h 03 min`, `2 min 05 s`, `12 s`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  if (whole >= 86_400) return `${Math.floor(whole / 86_400)} d ${pad(Math.floor((whole % 86_400) / 3600))} h`;
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${whole} s`;
}

/** Cells are HTML already; the first of a row is its heading. Names of regularizers stand to the left, numbers to the right. */
export function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const asName = heads.map((_, column) => (rows[0]?.[column]?.startsWith(DOT) ? ' class="name"' : ''));
  const head = heads.map((text, column) => `<th scope="col"${asName[column]}>${escaped(text)}</th>`).join('');
  const body = rows.map(([first = '', ...rest]) => {
    const cells = rest.map((cell, i) => `<td${asName[i + 1]}>${cell}</td>`);
    return `<tr><th scope="row">${first}</th>${cells.join('')}</tr>`;
  });
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(title)}"><table>
<caption><span>${escaped(title)}</span></caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
}

const DOT = '<svg class="dot"';

/** A name with the dot of its regularizer's color before it. */
export function name(label: string, regularizer: string): string {
  const { light } = markStyle(regularizer);
  return `${DOT} width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="4.5" fill="${light}"/></svg>${escaped(label)}`;
}

/** A table that is closed until the reader opens it. */
export function folded(summary: string, inner: string): string {
  return inner === '' ? '' : `<details>\n<summary>${escaped(summary)}</summary>\n${inner}\n</details>`;
}

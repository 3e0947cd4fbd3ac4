import { look } from './colors.js';
import { escaped } from './escaped.js';

/** Cells are HTML already; the first of a row is its heading. */
export function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(title)}"><table>
<caption><span>${escaped(title)}</span></caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
}

/** A name with the dot of its regularizer's color before it. */
export function name(label: string, regularizer: string): string {
  const { light } = look(regularizer);
  return `<svg class="dot" width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="4.5" fill="${light}"/></svg>${escaped(label)}`;
}

/** A table that a reader opens who wants it. */
export function folded(summary: string, inner: string): string {
  return inner === '' ? '' : `<details>\n<summary>${escaped(summary)}</summary>\n${inner}\n</details>`;
}

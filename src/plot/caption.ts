import { escaped } from './escaped.js';
import type { Figure } from './figures-figure.js';
import { textWidth } from './text-width.js';

const SIZE = 11.5; // px
const LINE = 17;

/** What a figure's caption says, in order, and the word in bold that each begins with. */
export function said(figure: Figure): { readonly lead: string; readonly text: string }[] {
  return [
    { lead: '', text: figure.reading },
    ...(figure.paper === null ? [] : [{ lead: 'Paper: ', text: figure.paper }]),
    { lead: 'Here: ', text: figure.outcome },
  ];
}

/** The caption as SVG text in lines of `width` pixels, for a figure that travels without its page. */
export function caption(figure: Figure, width: number, top: number): { readonly svg: string; readonly height: number } {
  const room = width - 16;
  let y = top + LINE;
  const lines: string[] = [];
  for (const { lead, text } of said(figure)) {
    folded((lead + text).replace(/(\d) %/g, '$1\u00a0%'), room).forEach((line, i) => {
      const bold = i === 0 && lead ? `<tspan font-weight="600">${escaped(lead)}</tspan>` : '';
      lines.push(
        `<text x="8" y="${y}" xml:space="preserve">${bold}${escaped(bold ? line.slice(lead.length) : line)}</text>`,
      );
      y += LINE;
    });
    y += 5;
  }
  return { svg: `<g font-size="${SIZE}" fill="#444444">${lines.join('\n')}</g>`, height: y - top - LINE + 8 };
}

/** Words in lines of at most `room` pixels; a longer word has a line of its own. */
function folded(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(`${line} ${word}`, SIZE) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

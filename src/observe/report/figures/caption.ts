import { escaped } from '../escaped.js';
import type { Figure } from './figure.js';

const LETTER = 5.5; // mean width of a letter at 11.5 px, a little wide
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
  const room = Math.floor((width - 16) / LETTER);
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
  return { svg: `<g font-size="11.5" fill="#444444">${lines.join('\n')}</g>`, height: y - top - LINE + 8 };
}

/** Words in lines of at most `room` letters; a longer word has a line of its own. */
function folded(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

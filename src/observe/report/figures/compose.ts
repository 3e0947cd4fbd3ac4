import { look } from '../colours.js';
import { escaped } from '../escaped.js';
import { type Figure, FONT, WIDTH } from './figure.js';

const LEGEND_HEIGHT = 30;
const LETTER = 6.3; // mean width of a letter at 12 px, so that entries do not run into one another

/** One SVG of all panels, with the legend above them: what the figure's files hold. */
export function compose(figure: Figure): string {
  const { panels, columns } = figure;
  const top = figure.legend.length > 0 ? LEGEND_HEIGHT : 0;
  const places: { x: number; y: number }[] = [];
  let [width, y] = [0, top];
  for (let first = 0; first < panels.length; first += columns) {
    const row = panels.slice(first, first + columns);
    let x = 0;
    for (const panel of row) {
      places.push({ x, y });
      x += panel.width + WIDTH.gap;
    }
    width = Math.max(width, x - WIDTH.gap);
    y += Math.max(...row.map((panel) => panel.height)) + WIDTH.gap / 2;
  }
  const height = y - WIDTH.gap / 2;
  const nested = panels.map(({ svg }, i) => svg.replace('<svg ', `<svg x="${places[i]!.x}" y="${places[i]!.y}" `));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="12" role="img" aria-label="${escaped(figure.title)}">`,
    `<title>${escaped(figure.title)}</title>`,
    legend(figure),
    ...nested,
    '</svg>',
  ].join('\n');
}

function legend(figure: Figure): string {
  let x = 8;
  const entries = figure.legend.map(({ label, regulariser }) => {
    const { light, dash } = look(regulariser);
    const entry = `<line x1="${x}" x2="${x + 26}" y1="13" y2="13" stroke="${light}" stroke-width="2.5" stroke-dasharray="${dash}"/><text x="${x + 32}" y="17">${escaped(label)}</text>`;
    x += 32 + label.length * LETTER + 24;
    return entry;
  });
  return entries.length > 0 ? `<g>${entries.join('')}</g>` : '';
}

import { createRequire } from 'node:module';
import { type ResvgRenderOptions, renderAsync } from '@resvg/resvg-js';
import { caption, type Figure, FONT, type Panel, sample, textWidth, WIDTH } from './figure.js';
import { escaped } from './table.js';

const LINE = 26; // of the legend
const HEADING = 28;

/** One SVG of all panels, the legend above and the caption below them: the content of the figure's files. */
export function compose(figure: Figure): string {
  const rows = rowsOf(figure);
  const across = ({ panels }: Row) => panels.reduce((sum, { width }) => sum + width, WIDTH.gap * (panels.length - 1));
  const width = Math.max(WIDTH.half, figure.key?.width ?? 0, ...rows.map(across));
  const said = legend(figure, width);
  let y = said.height;
  const parts: string[] = [];
  const addPanel = (panel: Panel, x: number) => {
    parts.push(panel.svg.replace('<svg ', `<svg x="${x}" y="${y}" `));
  };
  if (figure.key) {
    addPanel(figure.key, 0);
    y += figure.key.height + 6;
  }
  for (const { heading, panels } of rows) {
    if (heading !== undefined) {
      parts.push(`<text x="8" y="${y + 18}" font-weight="600" font-size="13">${escaped(heading)}</text>`);
      y += HEADING;
    }
    let x = 0;
    for (const panel of panels) {
      addPanel(panel, x);
      x += panel.width + WIDTH.gap;
    }
    y += Math.max(...panels.map((panel) => panel.height)) + WIDTH.gap / 2;
  }
  const below = caption(figure, width, y);
  const height = y + below.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" font-size="12" role="img" aria-label="${escaped(figure.title)}">`,
    `<title>${escaped(figure.title)}</title>`,
    said.svg,
    ...parts,
    below.svg,
    '</svg>',
  ].join('\n');
}

interface Row {
  readonly heading: string | undefined;
  readonly panels: Panel[];
}

function rowsOf({ panels, columns }: Figure): Row[] {
  const rows: Row[] = [];
  for (const panel of panels) {
    const last = rows.at(-1);
    if (last === undefined || panel.heading !== undefined || last.panels.length === columns) {
      rows.push({ heading: panel.heading, panels: [panel] });
    } else last.panels.push(panel);
  }
  return rows;
}

function legend(figure: Figure, width: number): { readonly svg: string; readonly height: number } {
  let [x, y] = [8, 4];
  const entries = figure.legend.map((entry) => {
    const wide = 32 + textWidth(entry.label);
    if (x > 8 && x + wide > width) [x, y] = [8, y + LINE];
    const drawn = `<g transform="translate(${x} ${y})">${sample(entry)}<text x="32" y="13">${escaped(entry.label)}</text></g>`;
    x += wide + 24;
    return drawn;
  });
  return entries.length > 0 ? { svg: `<g>${entries.join('')}</g>`, height: y + LINE } : { svg: '', height: 0 };
}

const resolve = createRequire(import.meta.url).resolve;
const FONTS = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'];

/** Renders an SVG as PNG on white, `zoom` pixels to one of its units, in a font of our own: the machine may have none. */
export async function raster(svg: string, zoom = 2): Promise<Buffer> {
  const options: ResvgRenderOptions = {
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: zoom },
    font: {
      loadSystemFonts: false,
      fontFiles: FONTS.map((file) => resolve(`@expo-google-fonts/inter/${file}`)),
      defaultFontFamily: 'Inter',
      sansSerifFamily: 'Inter',
    },
    logLevel: 'off',
  };
  return (await renderAsync(svg, options)).asPng();
}

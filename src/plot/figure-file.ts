/// <reference path="./pdf.d.ts" />

import { createRequire } from 'node:module';
import { type ResvgRenderOptions, renderAsync } from '@resvg/resvg-js';
import { type Font, openSync } from 'fontkit';
import PDFDocument from 'pdfkit';
import svgToPdf from 'svg-to-pdfkit';
import { caption, type Figure, FONT, type Panel, sample, textWidth, WIDTH } from './figure.js';
import { escaped } from './table.js';

const LINE = 26; // of the legend
const HEADING = 28;
const UNDER_KEY = 6;

/** The layout of a figure in a file. */
export interface FigureLayout {
  /** Pixels across: no more panels side by side than have room. By default as many as on the page. */
  readonly widest?: number;
  /** By default true; a paper has a caption of its own. */
  readonly captioned?: boolean;
}

/** One SVG of all panels, the legend above and the caption below them: the content of the figure's files. */
export function compose(
  figure: Figure,
  { widest = Number.POSITIVE_INFINITY, captioned = true }: FigureLayout = {},
): string {
  return composed(figure, rowsOf(figure, widest), captioned);
}

/** Rows of a figure's panels, below its legend. */
function composed(figure: Figure, rows: readonly Row[], captioned: boolean): string {
  const width = Math.max(captioned ? WIDTH.half : 0, figure.key?.width ?? 0, ...rows.map(across));
  const said = legend(figure, width);
  let y = said.height;
  const parts: string[] = [];
  const addPanel = (panel: Panel, x: number) => {
    parts.push(panel.svg.replace('<svg ', `<svg x="${x}" y="${y}" `));
  };
  if (figure.key) {
    addPanel(figure.key, 0);
    y += figure.key.height + UNDER_KEY;
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
    y += tallest(panels) + WIDTH.gap / 2;
  }
  const below = captioned ? caption(figure, width, y) : { svg: '', height: 0 };
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

const across = ({ panels }: Row): number =>
  panels.reduce((sum, { width }) => sum + width, WIDTH.gap * (panels.length - 1));

const tallest = (panels: readonly Panel[]): number => Math.max(...panels.map(({ height }) => height));

const heightOf = (rows: readonly Row[]): number =>
  rows.reduce(
    (sum, { heading, panels }) => sum + (heading === undefined ? 0 : HEADING) + tallest(panels) + WIDTH.gap / 2,
    0,
  );

/**
 * Rows in pages of at most so many pixels: what is under one heading stays together where a page can hold it, and a page that goes on
 * with it has the heading again.
 */
function paged(rows: readonly Row[], most: number): Row[][] {
  const pages: Row[][] = [];
  let left = 0;
  const put = (block: readonly Row[]): void => {
    const height = heightOf(block);
    if (height <= left) pages.at(-1)!.push(...block);
    else pages.push([...block]);
    left = (height <= left ? left : most) - height;
  };
  for (const block of headedBlocks(rows)) {
    const { heading } = block[0]!;
    if (heightOf(block) <= most) put(block);
    else for (const row of block) put([heightOf([row]) <= left ? row : { ...row, heading }]);
  }
  return pages;
}

/** Rows by the heading that they stand under. */
function headedBlocks(rows: readonly Row[]): Row[][] {
  const blocks: Row[][] = [];
  for (const row of rows) {
    if (blocks.length === 0 || row.heading !== undefined) blocks.push([row]);
    else blocks.at(-1)!.push(row);
  }
  return blocks;
}

interface Row {
  readonly heading: string | undefined;
  readonly panels: Panel[];
}

function rowsOf({ panels, columns }: Figure, widest: number): Row[] {
  const rows: Row[] = [];
  for (const panel of panels) {
    const last = rows.at(-1);
    const before = last?.panels.reduce((sum, { width }) => sum + width + WIDTH.gap, 0) ?? 0;
    const full = last?.panels.length === columns || before + panel.width > widest;
    if (last === undefined || panel.heading !== undefined || full) {
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
const [REGULAR, BOLD] = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'].map((file) =>
  resolve(`@expo-google-fonts/inter/${file}`),
) as [string, string];

/** Renders an SVG as PNG on white, `zoom` pixels to one of its units, in a font of our own: the machine may have none. */
export async function raster(svg: string, zoom = 2): Promise<Buffer> {
  const options: ResvgRenderOptions = {
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: zoom },
    font: { loadSystemFonts: false, fontFiles: [REGULAR, BOLD], defaultFontFamily: 'Inter', sansSerifFamily: 'Inter' },
    logLevel: 'off',
  };
  return (await renderAsync(svg, options)).asPng();
}

const POINTS = 2 / 3; // of a pixel of ours: texts of 12 pixels are of 8 points, as in figures of papers
const WIDEST = 640; // pixels: 427 points, the text width of most styles of one column
const TALLEST = 975; // pixels: 650 points, a page of paper less its caption

/**
 * A figure as PDF for a paper: vectors, the font embedded, no caption, texts of 8 points at its own size. Figures of several panels have as
 * many of them side by side as the text width of a paper holds; a figure that is taller than a page of paper goes on on further pages of
 * the file, each with the legend (`\includegraphics[page=2]`).
 *
 * @param madeAt its date; the same figure and date give the same bytes
 */
export async function pdf(figure: Figure, madeAt: Date): Promise<Buffer> {
  const rows = rowsOf(figure, WIDEST);
  const width = Math.max(figure.key?.width ?? 0, ...rows.map(across));
  const head = legend(figure, width).height + (figure.key ? figure.key.height + UNDER_KEY : 0);
  const info = { Title: figure.title, Creator: 'Weir', CreationDate: madeAt };
  const document = new PDFDocument({ autoFirstPage: false, info });
  document.registerFont('regular', fontOf(REGULAR)).registerFont('bold', fontOf(BOLD));
  for (const page of paged(rows, TALLEST - head)) {
    const { svg, width, height } = sized(composed(figure, page, false), POINTS);
    document.addPage({ size: [width, height], margin: 0 });
    svgToPdf(document, convertible(svg), 0, 0, {
      width,
      height,
      assumePt: true,
      fontCallback: (_, bold) => (bold ? 'bold' : 'regular'),
      warningCallback: (message) => {
        throw new Error(`the figure '${figure.id}' cannot be made a PDF: ${message}`);
      },
    });
  }
  document.end();
  const parts: Buffer[] = [];
  for await (const part of document) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const opened = new Map<string, Font>();

/**
 * A font whose tables are decoded once for all documents of the process: that takes most of the time of a figure. Its glyphs are the
 * document's own, for they remember the first text that they were used in, and a figure's bytes are no matter of the figures before it.
 */
function fontOf(file: string): Font {
  const font = opened.get(file) ?? openSync(file);
  opened.set(file, font);
  return Object.create(font, { _glyphs: { value: {} } }) as Font;
}

/**
 * The same drawing in what the converter draws as browsers do: it knows no `paint-order`, so a text with a halo becomes two texts, the
 * halo below; and its `currentColor` keeps the opacity of its first use, so that is written as black.
 */
function convertible(svg: string): string {
  return svg
    .replaceAll('"currentColor"', '"#000000"')
    .replace(/<g ([^>]*?)paint-order="stroke"([^>]*)>([\s\S]*?)<\/g>/g, (_, before, after, texts) => {
      const group = `${before}${after}`;
      return `<g ${group}>${texts}</g><g ${group.replace(/ ?stroke(?:-[a-z]+)?="[^"]*"/g, '')}>${texts}</g>`;
    });
}

/** The same drawing so many times as large: its view box stays, its size is another. */
function sized(svg: string, times: number): { readonly svg: string; readonly width: number; readonly height: number } {
  const [size, w, h] = / width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
  const [width, height] = [times * Number(w), times * Number(h)];
  return { svg: svg.replace(size, ` width="${width}" height="${height}"`), width, height };
}

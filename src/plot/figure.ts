import { type MarkStyle, markStyle } from './style.js';
import { escaped } from './table.js';

/** One drawing: a complete SVG element in units of CSS pixels. */
export interface Panel {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  /** The same drawing on an axis that early outliers do not flatten, where they do in the other: for a page that can switch. */
  readonly robust?: string;
  /** The heading above the panel, which then begins a row. */
  readonly heading?: string;
}

/** Panels that belong together, with the words of their caption. */
export interface Figure extends DrawnFigure {
  /** Also its file name; carries the paper's number where the paper has this figure. */
  readonly id: string;
  /** The paper's words on its own figure. */
  readonly paper: string | null;
}

/** A figure as its module draws it; the report adds its name, and the paper's number and words where the pipeline has them. */
export interface DrawnFigure {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Panels side by side where there is room. */
  readonly columns: number;
  /** Colors that want telling; none where the panels name them. */
  readonly legend: readonly LegendEntry[];
  /** The scale that all panels share: a bar of colors. */
  readonly key?: Panel;
  /** The subject, and the meaning of the marks. */
  readonly reading: string;
  /** The result, in a sentence or two, from the data. */
  readonly outcome: string;
}

/** A figure that a pipeline asks for: its place in the list is its place in the report. */
export interface FigureRequest<Name extends string = string> {
  readonly figure: Name;
  /** In the place of the figure's own title. */
  readonly title?: string;
  /** The number of the same figure in the paper: '3a', 'E.2'. */
  readonly number?: string;
  /** The paper's words on its figure, a sentence. */
  readonly paper?: string;
  /** Draws only networks whose run has these values in its config. */
  readonly where?: Readonly<Record<string, string | number | boolean>>;
}

export interface LegendEntry {
  readonly label: string;
  readonly style: MarkStyle;
  readonly mark: 'line' | 'dot' | 'triangle' | 'square' | 'frame' | 'ring' | 'cross';
}

/** Two panels and the gap fill a page; see the style sheet of the page. */
export const WIDTH = { full: 944, half: 460, third: 298, quarter: 218, gap: 24 };

/** Width of one of `columns` panels that fill a page side by side. */
export function widthOf(columns: number): number {
  return [WIDTH.full, WIDTH.full, WIDTH.half, WIDTH.third][columns] ?? WIDTH.quarter;
}

export const FONT = 'Inter, system-ui, sans-serif';

/** The legend of the regularizers of some groups, each once. */
export function regularizers(groups: readonly { readonly regularizer: string }[]): LegendEntry[] {
  const names = [...new Set(groups.map(({ regularizer }) => regularizer))];
  return names.map((name) => ({ label: name, style: markStyle(name), mark: 'line' }));
}

/** How many networks stand behind each mean: '10 seeds', 'one seed', '3 to 10 seeds'. */
export function seedsPhrase(groups: readonly { readonly networks: readonly unknown[] }[]): string {
  const counts = groups.map(({ networks }) => networks.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return 'one seed';
  return least === most ? `${most} seeds` : `${least} to ${most} seeds`;
}

/** The mark before the words of a legend's entry: SVG in a box of 26 by 18. */
export function sample({ style: { light, dash }, mark }: LegendEntry): string {
  switch (mark) {
    case 'line':
      return `<line x1="0" x2="26" y1="9" y2="9" stroke="${light}" stroke-width="2.5" stroke-dasharray="${dash}"/>`;
    case 'dot':
      return `<circle cx="18" cy="9" r="5" fill="${light}"/>`;
    case 'triangle':
      return `<path d="M18 3l6 11h-12z" fill="${light}"/>`;
    case 'square':
      return `<rect x="13" y="4" width="10" height="10" fill="${light}"/>`;
    case 'frame':
      return `<rect x="13" y="4" width="10" height="10" fill="${light}" fill-opacity="0.14" stroke="${light}" stroke-width="1.5"/>`;
    case 'ring':
      return `<circle cx="18" cy="9" r="4.5" fill="none" stroke="${light}" stroke-width="1.8"/>`;
    case 'cross':
      return `<path d="M13 4l10 10M23 4l-10 10" stroke="${light}" stroke-width="2" fill="none"/>`;
  }
}

/** Widths of letters in the report's font (Inter), in parts of its size, rounded up to a twentieth. */
const WIDTHS: readonly (readonly [letters: string, width: number])[] = [
  ['ijl', 0.25],
  [" !',.:I\u00a0", 0.3],
  [';`t|', 0.35],
  ['()/[\\]fr', 0.4],
  ['1{}²', 0.45],
  ['"-^_–°', 0.5],
  ['*?ksx', 0.55],
  ['57FJLacehnouvyzγ', 0.6],
  ['#$&0234689EPRSTZbdgpqσθ√λ', 0.65],
  ['+−<=>ABKVXY~Δ±', 0.7],
  ['CDGHU', 0.75],
  ['NOQ', 0.8],
  ['w', 0.85],
];

const ROUNDED = 0.97; // the rounding's addition, most of it taken back
const OTHER = 1;
const BOLD = 1.02; // times that

const widths = new Map(WIDTHS.flatMap(([letters, width]) => [...letters].map((letter) => [letter, width] as const)));

/** How wide a text is drawn, in pixels, a little more than less; exact enough to break and to cut by. */
export function textWidth(text: string, size = 12, { bold = false } = {}): number {
  const whole = [...text].reduce((sum, letter) => sum + (widths.get(letter) ?? OTHER), 0);
  return ROUNDED * whole * size * (bold ? BOLD : 1);
}

/** A regularizer's name in so many pixels: whole, else with the paper's abbreviation, else cut. */
export function shortened(name: string, width: number, { bold = false } = {}): string {
  const isWithin = (text: string) => textWidth(text, 12, { bold }) <= width;
  const known = name.replaceAll('batch-spectral-shrinkage', 'BSS');
  const whole = [name, known].find(isWithin);
  if (whole !== undefined) return whole;
  let cut = known;
  while (cut.length > 1 && !isWithin(`${cut}…`)) cut = cut.slice(0, -1);
  return `${cut.trimEnd()}…`;
}

const SIZE = 11.5; // px
const LINE = 17;

/** The parts of a figure's caption, in order, and the word in bold that each begins with. */
export function captionParts(figure: Figure): { readonly lead: string; readonly text: string }[] {
  return [
    { lead: '', text: figure.reading },
    ...(figure.paper === null ? [] : [{ lead: 'Paper: ', text: figure.paper }]),
    { lead: 'Here: ', text: figure.outcome },
  ];
}

/** The caption as SVG text in lines of `width` pixels, for a figure that travels without its page. */
export function caption(figure: Figure, width: number, top: number): { readonly svg: string; readonly height: number } {
  const lineWidth = width - 16;
  let y = top + LINE;
  const lines: string[] = [];
  for (const { lead, text } of captionParts(figure)) {
    folded((lead + text).replace(/(\d) %/g, '$1\u00a0%'), lineWidth).forEach((line, i) => {
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
function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && textWidth(`${line} ${word}`, SIZE) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

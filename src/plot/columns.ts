import { type Panel, textWidth } from './figure.js';
import { caption, framed, Plot, panel } from './panels.js';
import { mean, quantile } from './statistics.js';
import { markStyle, SEED } from './style.js';
import { number, plusMinus } from './table.js';

/** One group in one panel: the value of each network, and how far its bar reaches from their mean. */
export interface Column {
  readonly label: string;
  readonly regularizer: string;
  readonly values: readonly number[];
  /** Half the length of the bar; null for none. */
  readonly error: number | null;
  /** Values drawn beside, hollow, of the same networks: another measure of the same thing. */
  readonly beside?: { readonly values: readonly number[]; readonly error: number | null };
}

export interface Columns {
  readonly label: string;
  readonly width: number;
  readonly height: number;
  /** 'box' draws quartiles where a column has `BOXED` values or more, else the bar. */
  readonly show: 'box' | 'bar';
  readonly domain?: readonly [number, number];
}

export const BOXED = 4;

/** Columns of gray dots, a dot a network, with their mean as a diamond and a box of quartiles or a bar about it. */
export function columns(all: readonly Column[], { label, width, height, show, domain }: Columns): Panel {
  const drawn = all.flatMap((column, i) => {
    const { beside: second, error, values, regularizer } = column;
    const shift = second && second.values.length > 0 ? 0.2 : 0;
    const half = shift > 0 ? 0.15 : 0.28;
    return [
      { at: i - shift, half, hollow: false, regularizer, values, error },
      ...(second && shift > 0 ? [{ at: i + shift, half, hollow: true, regularizer, ...second }] : []),
    ].filter((each) => each.values.length > 0);
  });
  return panel({
    ...framed(width, height, [28, 20, 46, 52]),
    ariaLabel: `${label}: ${all.map((c) => `${c.label} ${c.values.length > 0 ? plusMinus(mean(c.values), c.error) : number(null)}`).join(', ')}`,
    x: { domain: [-0.5, all.length - 0.5], axis: null },
    y: { domain: [...(domain ?? extent(all))], label, grid: true, ticks: 6, labelArrow: 'none' },
    marks: [
      Plot.axisX(
        all.map((_, i) => i),
        { label: null, tickSize: 0, tickFormat: (i: number) => folded(all[i]!.label, width / all.length) },
      ),
      ...drawn.flatMap(({ at, half, hollow, regularizer, values, error }) => {
        const { light } = markStyle(regularizer);
        const center = mean(values);
        const boxed = show === 'box' && values.length >= BOXED;
        // Seeds stand side by side in the order of their number, so that equal values do not hide one another. A single one is its mean.
        const dots = values.length === 1 ? [] : values.map((y, i) => ({ x: at + half * beside(i, values.length), y }));
        return [
          ...(boxed ? box(values, at, half, light) : []),
          Plot.dot(dots, {
            x: 'x',
            y: 'y',
            r: 3,
            fill: hollow ? 'none' : SEED.light,
            fillOpacity: 0.75,
            stroke: hollow ? SEED.light : 'none',
            strokeWidth: 1.2,
          }),
          ...(boxed || error === null ? [] : bar(center, error, at, half, light)),
          diamond(at, center, 6, light, hollow),
        ];
      }),
    ],
  });
}

/** The mean of some networks; hollow, with its color about it, where their dots are. */
function diamond(x: number, y: number, r: number, color: string, hollow: boolean): Plot.Markish {
  const style = hollow
    ? { fill: 'white', stroke: color, strokeWidth: 2 }
    : { fill: color, stroke: 'white', strokeWidth: 1 };
  return Plot.dot([{ x, y }], { x: 'x', y: 'y', r, symbol: 'diamond', ...style });
}

/** A box from corner to corner. */
function rectangle(
  [x1, x2]: readonly number[],
  [y1, y2]: readonly number[],
  fill: string,
  fillOpacity: number,
): Plot.Markish {
  const at = { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2' };
  return Plot.rect([{ x1, x2, y1, y2 }], { ...at, fill, fillOpacity, stroke: fill, strokeWidth: 1.5 });
}

/** The range of all that columns show, with some air; for panels that share a scale. */
export function extent(all: readonly Column[]): readonly [number, number] {
  const bounds = all.flatMap(({ values, error, beside }) =>
    [{ values, error }, beside ?? { values: [], error: null }].flatMap((each) => {
      const center = each.values.length > 0 ? mean(each.values) : 0;
      return each.values.length > 0 ? [...each.values, center - (each.error ?? 0), center + (each.error ?? 0)] : [];
    }),
  );
  if (bounds.length === 0) return [0, 1];
  const [least, most] = [Math.min(...bounds), Math.max(...bounds)];
  const air = (most - least || Math.abs(most) * 0.1 || 1) * 0.1;
  return [least - air, most + air];
}

/** Quartiles as a box, its thick line the median, whiskers to the least and the greatest. */
export function box(
  values: readonly number[],
  at: number,
  half: number,
  color: string,
  opacity = 0.14,
): Plot.Markish[] {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((p) => quantile(values, p)!) as [number, number, number];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const ends = [
    { y1: least, y2: low },
    { y1: high, y2: most },
  ];
  return [
    Plot.ruleX(ends, { x: () => at, y1: 'y1', y2: 'y2', stroke: color, strokeWidth: 1.5 }),
    Plot.ruleY([least, most], { x1: () => at - half / 2, x2: () => at + half / 2, stroke: color, strokeWidth: 1.5 }),
    rectangle([at - half, at + half], [low, high], color, opacity),
    Plot.ruleY([middle], { x1: () => at - half, x2: () => at + half, stroke: color, strokeWidth: 2.5 }),
  ];
}

/** A bar of twice that length about the mean. */
export function bar(center: number, error: number, at: number, half: number, color: string): Plot.Markish[] {
  const [low, high] = [center - error, center + error];
  return [
    Plot.ruleX([0], { x: () => at, y1: () => low, y2: () => high, stroke: color, strokeWidth: 2 }),
    Plot.ruleY([low, high], { x1: () => at - half / 2, x2: () => at + half / 2, stroke: color, strokeWidth: 2 }),
  ];
}

/** Where dot `i` of `n`, two or more, stands, in halves of a column's width: never in the middle, where the mean is. */
function beside(i: number, n: number): number {
  const offset = (2 * i) / (n - 1) - 1;
  return (offset < 0 ? -1 : 1) * (0.34 + 0.5 * Math.abs(offset));
}

/** A name on as few lines as its room, in pixels, allows: broken at spaces and behind hyphens. */
export function folded(label: string, width: number): string {
  const lines = [''];
  for (const part of label.split(/(?<=[- ])/)) {
    const line = lines.at(-1)! + part;
    if (lines.at(-1) !== '' && textWidth(line.trimEnd()) >= width) lines.push(part);
    else lines[lines.length - 1] = line;
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** A column that stands with others at one place of the axis. */
export interface GroupedColumn extends Column {
  /** The name of the place. */
  readonly category: string;
  /** Drawn as an empty frame, which differs from the full ones in gray print too. */
  readonly hollow: boolean;
}

export interface Grouped {
  readonly label: string;
  /** The meaning of the places. */
  readonly axis: string;
  readonly width: number;
  readonly height: number;
  /** 'bars' begin at zero; 'spread' draws means with quartiles or deviation on a scale of their own. */
  readonly show: 'bars' | 'spread';
}

const FILLED = 0.84; // of the room at one place

/** Columns side by side at each place of the axis, a gray dot for every network. */
export function grouped(all: readonly GroupedColumn[], { label, axis, width, height, show }: Grouped): Panel {
  const categories = [...new Set(all.map(({ category }) => category))];
  const most = Math.max(...categories.map((category) => all.filter((member) => member.category === category).length));
  const wide = FILLED / most;
  const drawn = all.map((member) => {
    const ofCategory = all.filter(({ category }) => category === member.category);
    const middle =
      categories.indexOf(member.category) + (ofCategory.indexOf(member) - (ofCategory.length - 1) / 2) * wide;
    return { ...member, middle, half: 0.44 * wide };
  });
  const [least, greatest] = extent(all);
  const labelWidth = (width - 60) / categories.length;
  const lines = Math.max(...categories.map((category) => folded(category, labelWidth).split('\n').length));
  return panel({
    ...framed(width, height, [28, 20, 30 + 14 * lines, 52]),
    ariaLabel: `${label}: ${all.map((c) => `${c.label} ${c.values.length > 0 ? plusMinus(mean(c.values), c.error) : number(null)}`).join(', ')}`,
    x: { domain: [-0.5, categories.length - 0.5], axis: null },
    y: { domain: show === 'bars' ? [0, greatest] : [least, greatest], label, grid: true, ticks: 6, labelArrow: 'none' },
    marks: [
      Plot.axisX(
        categories.map((_, i) => i),
        { label: null, tickSize: 0, tickFormat: (i: number) => folded(categories[i]!, labelWidth) },
      ),
      caption(axis, { frameAnchor: 'bottom', lineAnchor: 'bottom', dy: 25 + 14 * lines, fill: 'currentColor' }),
      ...drawn.flatMap((member) => (show === 'bars' ? barOf(member) : spreadOf(member))),
      ...(show === 'bars' ? [Plot.ruleY([0], { stroke: 'currentColor' })] : []),
    ],
  });
}

interface Placed extends GroupedColumn {
  readonly middle: number;
  readonly half: number;
}

function barOf({ values, error, regularizer, hollow, middle, half }: Placed): Plot.Markish[] {
  const { light } = markStyle(regularizer);
  const center = mean(values);
  return [
    rectangle([middle - half, middle + half], [0, center], light, hollow ? 0.1 : 0.85),
    ...dots(values, middle, half),
    ...(error === null ? [] : bar(center, error, middle, half / 2, 'currentColor')),
  ];
}

function spreadOf({ values, error, regularizer, hollow, middle, half }: Placed): Plot.Markish[] {
  const { light } = markStyle(regularizer);
  const center = mean(values);
  const boxed = values.length >= BOXED;
  return [
    ...(boxed ? box(values, middle, half, light, hollow ? 0.06 : 0.45) : []),
    ...dots(values, middle, half),
    ...(boxed || error === null ? [] : bar(center, error, middle, half / 2, light)),
    diamond(middle, center, 5.5, light, hollow),
  ];
}

/** Seeds side by side in the order of their number. */
function dots(values: readonly number[], middle: number, half: number): Plot.Markish[] {
  if (values.length === 1) return []; // its mean is drawn
  const placed = values.map((y, i) => ({ x: middle + 0.95 * half * beside(i, values.length), y }));
  return [Plot.dot(placed, { x: 'x', y: 'y', r: 2.6, fill: SEED.light, stroke: 'white', strokeWidth: 0.7 })];
}

import { look, SEED } from './colors.js';
import { BOXED, bar, beside, box, type Column, extent, folded } from './figures-columns.js';
import type { Panel } from './figures-figure.js';
import { number, plusMinus } from './format.js';
import { Plot, panel } from './plot.js';
import { mean } from './report-statistics.js';

/** A column that stands with others at one place of the axis. */
export interface Member extends Column {
  /** What the place is called. */
  readonly place: string;
  /** Drawn as an empty frame, so that it is told from the full ones in gray print too. */
  readonly hollow: boolean;
}

export interface Grouped {
  readonly label: string;
  /** What the places are. */
  readonly places: string;
  readonly width: number;
  readonly height: number;
  /** 'bars' begin at zero; 'spread' draws means with quartiles or deviation on a scale of their own. */
  readonly show: 'bars' | 'spread';
}

const FILLED = 0.84; // of the room at one place

/** Columns side by side at each place of the axis, a gray dot for every network. */
export function grouped(all: readonly Member[], { label, places, width, height, show }: Grouped): Panel {
  const at = [...new Set(all.map(({ place }) => place))];
  const most = Math.max(...at.map((place) => all.filter((member) => member.place === place).length));
  const wide = FILLED / most;
  const drawn = all.map((member) => {
    const here = all.filter(({ place }) => place === member.place);
    const middle = at.indexOf(member.place) + (here.indexOf(member) - (here.length - 1) / 2) * wide;
    return { ...member, middle, half: 0.44 * wide };
  });
  const [least, greatest] = extent(all);
  const room = (width - 60) / at.length;
  const lines = Math.max(...at.map((place) => folded(place, room).split('\n').length));
  return panel({
    ...{ width, height, marginLeft: 52, marginTop: 28, marginBottom: 30 + 14 * lines },
    ariaLabel: `${label}: ${all.map((c) => `${c.label} ${c.values.length > 0 ? plusMinus(mean(c.values), c.error) : number(null)}`).join(', ')}`,
    x: { domain: [-0.5, at.length - 0.5], axis: null },
    y: {
      ...{ domain: show === 'bars' ? [0, greatest] : [least, greatest] },
      ...{ label, grid: true, ticks: 6, labelArrow: 'none' },
    },
    marks: [
      Plot.axisX(
        at.map((_, i) => i),
        { label: null, tickSize: 0, tickFormat: (i: number) => folded(at[i]!, room) },
      ),
      Plot.text([places], {
        ...{ text: (text: string) => text, frameAnchor: 'bottom', lineAnchor: 'bottom', dy: 25 + 14 * lines },
        ...{ fill: 'currentColor' },
      }),
      ...drawn.flatMap((member) => (show === 'bars' ? barOf(member) : spreadOf(member))),
      ...(show === 'bars' ? [Plot.ruleY([0], { stroke: 'currentColor' })] : []),
    ],
  });
}

interface Placed extends Member {
  readonly middle: number;
  readonly half: number;
}

function barOf({ values, error, regularizer, hollow, middle, half }: Placed): Plot.Markish[] {
  const { light } = look(regularizer);
  const center = mean(values);
  return [
    Plot.rect([center], {
      ...{ x1: () => middle - half, x2: () => middle + half, y1: () => 0, y2: (y: number) => y },
      ...{ fill: light, fillOpacity: hollow ? 0.1 : 0.85, stroke: light, strokeWidth: 1.5 },
    }),
    ...dots(values, middle, half),
    ...(error === null ? [] : bar(center, error, middle, half / 2, 'currentColor')),
  ];
}

function spreadOf({ values, error, regularizer, hollow, middle, half }: Placed): Plot.Markish[] {
  const { light } = look(regularizer);
  const center = mean(values);
  const boxed = values.length >= BOXED;
  return [
    ...(boxed ? box(values, middle, half, light, hollow ? 0.06 : 0.45) : []),
    ...dots(values, middle, half),
    ...(boxed || error === null ? [] : bar(center, error, middle, half / 2, light)),
    Plot.dot([center], {
      ...{ x: () => middle, y: (y: number) => y, r: 5.5, symbol: 'diamond', strokeWidth: hollow ? 2 : 1 },
      ...{ fill: hollow ? 'white' : light, stroke: hollow ? light : 'white' },
    }),
  ];
}

/** Seeds side by side in the order of their number. */
function dots(values: readonly number[], middle: number, half: number): Plot.Markish[] {
  if (values.length === 1) return []; // its mean is drawn
  const placed = values.map((y, i) => ({ x: middle + 0.95 * half * beside(i, values.length), y }));
  return [Plot.dot(placed, { x: 'x', y: 'y', r: 2.6, fill: SEED.light, stroke: 'white', strokeWidth: 0.7 })];
}

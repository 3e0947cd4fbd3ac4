import { type DrawnFigure, type Panel, textWidth, WIDTH } from '../plot/figure.js';
import { framed, Plot, panel } from '../plot/panels.js';
import { markStyle, SEED } from '../plot/style.js';
import { isRelative, type Judged } from './comparison.js';
import { SIGNS } from './phrases.js';
import type { Word } from './rules.js';

const ROW = 42; // pixels: a line of text, and the interval below it

/** Colors that the page's style sheet knows; signs stand beside them. */
const COLORS: Readonly<Record<Word, string>> = {
  holds: markStyle('batch-spectral-shrinkage').light,
  fails: markStyle('ll-spectral').light,
  'not told apart': markStyle('none').light,
  'not run': SEED.light,
};

/** Every comparison of a claim that has an estimate: its interval beside the region that the claim says; null where there is none. */
export function forest(comparisons: readonly Judged[]): Pick<DrawnFigure, 'panels' | 'columns'> | null {
  const known = comparisons.filter(({ tests }) => tests[0].estimate !== null);
  const scales = [...new Set(known.map(scaleOf))];
  const panels = scales.map((scale) =>
    drawn(
      scale,
      known.filter((one) => scaleOf(one) === scale),
    ),
  );
  return panels.length === 0 ? null : { panels, columns: Math.min(2, panels.length) };
}

/** Comparisons on one axis: of one measure, or of shares beyond several thresholds. */
const scaleOf = ({ measure, analysis }: Judged): string => {
  const name = measure.name.replace(/ \d+$/, '');
  const of = isRelative(analysis) ? ', %' : measure.unit === '%' ? ', points' : '';
  const what = analysis.test === 'above' || analysis.test === 'below' ? '' : 'difference in ';
  return `${isRelative(analysis) ? '' : what}${name}${of}`;
};

function drawn(label: string, comparisons: readonly Judged[]): Panel {
  const rows = comparisons.map((judged, i) => {
    const { tests, measure, analysis, region } = judged;
    const [{ estimate, word }] = tests;
    const { value, lower, upper, values } = estimate!;
    const shown = (of: number): number => (isRelative(analysis) ? 100 * Math.expm1(of) : measure.scale * of);
    return {
      y: i,
      text: judged.label.replace(`${analysis.test === 'every' ? '' : analysis.measure}: `, ''),
      word,
      value: shown(value),
      low: shown(lower ?? value),
      high: shown(upper ?? value),
      seeds: values.map(shown),
      ends: [region.above, region.below].flatMap((end) => (end === undefined ? [] : [shown(end)])),
    };
  });
  const ends = [...new Set(rows.flatMap((row) => row.ends))];
  const all = rows.flatMap(({ low, high, seeds, ends }) => [low, high, ...seeds, ...ends]);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const air = 0.05 * (most - least || 1);
  const width = WIDTH.half;
  return panel({
    ...framed(width, 56 + ROW * rows.length, [12, 28, 40, 10]),
    ariaLabel: `${label}: ${rows.map(({ text, word }) => `${text} ${word}`).join('; ')}`,
    x: { label, labelAnchor: 'center', labelArrow: 'none', domain: [least - air, most + air], ticks: 5, grid: true },
    y: { domain: [-0.75, rows.length - 0.25], reverse: true, axis: null },
    marks: [
      Plot.ruleX(ends, { stroke: 'currentColor', strokeOpacity: 0.6, strokeDasharray: '4 3' }),
      ...rows.flatMap(({ y, text, word, value, low, high, seeds }) => [
        Plot.text([cut(text, width - 40)], {
          x: () => least - air,
          y: () => y - 0.42,
          text: (t: string) => t,
          textAnchor: 'start',
          dx: 2,
          fill: 'currentColor',
        }),
        Plot.dot(seeds, { x: (x: number) => x, y: () => y + 0.02, r: 2, fill: SEED.light, fillOpacity: 0.6 }),
        Plot.ruleY([y], { x1: () => low, x2: () => high, y: () => y, stroke: COLORS[word], strokeWidth: 2.5 }),
        Plot.dot([value], { x: (x: number) => x, y: () => y, r: 5, fill: COLORS[word] }),
        Plot.text([SIGNS[word]], {
          y: () => y,
          frameAnchor: 'right',
          dx: 20,
          text: (t: string) => t,
          fill: COLORS[word],
          fontSize: 16,
        }),
      ]),
    ],
  });
}

/** A text in so many pixels, cut where it is longer. */
function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let short = text;
  while (short.length > 1 && textWidth(`${short}…`) > width) short = short.slice(0, -1);
  return `${short.trimEnd()}…`;
}

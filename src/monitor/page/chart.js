import { robustRange } from '../../plot/robust-range.js';
import { count, number, svg, tick } from './dom.js';

/** The report's colors. */
const palette = await (await fetch('/palette.json')).json();

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The color of a style on the page as it is, light or dark. */
export const color = (style) => (dark.matches ? style.dark : style.light);

/** A field's name in words, as the record schema makes labels of it. */
const inWords = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** What a curve is called among those that are drawn with it; with its network where several are shown. */
export function labelOf({ network, stream, field, part }, one, beside) {
  const several = beside.some((other) => other.stream === stream && other.network === network && other.field !== field);
  const label = part || (several ? `${stream} ${inWords(field)}` : stream);
  return one ? label : `${network}: ${label}`;
}

const dashes = [[], [7, 3], [2.5, 2.5], [9, 3, 2, 3]];
const { none, 'll-spectral': orange, 'rep-spectral': blue } = palette.known;
const ring = [...Object.values(palette.known).slice(3), ...Object.values(palette.known).slice(1, 3), ...palette.others];

/** Colors that a role always has where one network is shown. */
const ofRole = { training: { headline: blue, other: none }, test: { headline: orange, other: orange } };

/** The style of a run that is drawn over this one: a color of its own, and the dashes of the curve that it is held against. */
export const styleOfRun = (run, { dash }) => ({ ...palette.others[run % palette.others.length], dash });

/**
 * How the `i`-th curve looks: by network where all are shown, as in the report, and its `layer`-th part by a dash that is the same for
 * every network; else by its role.
 */
export function styleOf({ network, role, part, about }, i, one, layer) {
  if (one) {
    const fixed = ofRole[role]?.[about.headline ? 'headline' : 'other'];
    return { ...(fixed ?? ring[i % ring.length]), dash: dashes[Math.floor(i / ring.length) % dashes.length] };
  }
  return { ...networkColors(network), dash: part ? dashes[layer % dashes.length] : role === 'test' ? [7, 3] : [] };
}

/** A network's colors, light and dark: those of its regularizer. */
export function networkColors(network) {
  const regularizer = network.replace(/-s\d+$/, '');
  let sum = 0;
  for (const letter of regularizer) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return palette.known[regularizer] ?? palette.others[sum % palette.others.length];
}

/**
 * A label with its unit, as the title of a drawing.
 *
 * @param {{ label: string, unit?: string }} about
 */
export function titleOf({ label, unit }) {
  const title = unit === undefined || unit === 'fraction' ? label : `${label} (${unit})`;
  return title.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

const height = 210;

/**
 * A drawing of curves in an element: a line through the last value of each bucket, and where a bucket holds several values a band from
 * the least to the largest. It is made anew where other curves come, and else only given new numbers.
 */
export function chart(element) {
  let plot;
  let key = '';
  new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height })).observe(element);

  return (curves, { log, label, outliers, marks }) => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const now = JSON.stringify([
      log,
      dark,
      outliers,
      marks,
      curves.map(({ label, style, width }) => [label, style.light, width > 1]),
    ]);
    const data = aligned(curves);
    if (now === key && plot) {
      plot.setData(data);
      return;
    }
    key = now;
    plot?.destroy();
    plot = new globalThis.uPlot(
      options(curves, { log, outliers, marks, width: element.clientWidth || 400 }),
      data,
      element,
    );
    const canvas = element.querySelector('canvas');
    canvas.setAttribute('role', 'img');
    const marked = marks.map((mark) => `; ${textOf(mark)}`).join('');
    canvas.setAttribute('aria-label', `${label}${marked}; the newest numbers are in the table below`);
  };
}

/** One axis of updates for all curves; what a curve has no value for is left open. */
function aligned(curves) {
  const tables = curves.flatMap(({ buckets, width }) => {
    const x = buckets.map(([at]) => at);
    const column = (i) => [x, buckets.map((bucket) => (Number.isFinite(bucket[i]) ? bucket[i] : null))];
    return width > 1 ? [column(3), column(1), column(2)] : [column(3)];
  });
  return globalThis.uPlot.join(tables);
}

/** The range that uPlot asks for; its own where no value is far from the others. */
const rangeOf = (log) => (plot, least, most) => {
  const robust = robustRange(plot.data.slice(1).flat(), log ? 'log' : 'linear');
  if (robust !== null) return robust;
  if (log) return globalThis.uPlot.rangeLog(least, most, 10, false);
  return globalThis.uPlot.rangeNum(least, most, 0.1, true);
};

const markRows = 3; // of labels above a drawing, so that those of near updates do not meet
const markRow = 15;

const textOf = ({ at, label }) => `${label} at ${count(at)}`;

/** Draws a thin line at each update that is marked, and its label above. */
const drawMarks = (marks) => (plot) => {
  const style = getComputedStyle(document.documentElement);
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  ctx.strokeStyle = style.getPropertyValue('--quiet');
  ctx.fillStyle = ctx.strokeStyle;
  ctx.lineWidth = ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  const rows = Math.min(marks.length, markRows);
  marks.forEach(({ at, label }, i) => {
    if (at < plot.scales.x.min || at > plot.scales.x.max) return;
    const x = Math.round(plot.valToPos(at, 'x', true)) + 0.5;
    const y = bbox.top - (rows - (i % rows)) * markRow * ratio;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const isLeft = x > bbox.left + bbox.width / 2;
    ctx.textAlign = isLeft ? 'right' : 'left';
    ctx.fillText(textOf({ at, label }), x + (isLeft ? -5 : 5) * ratio, y);
  });
  ctx.restore();
};

function options(curves, { log, outliers, marks, width }) {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: read('--quiet'),
    grid: { stroke: read('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
    values: (_, splits) => splits.map((value) => (value === null ? null : tick(value))),
  };
  const series = [{ label: 'update' }];
  const bands = [];
  for (const { label, style, width: bucket } of curves) {
    const stroke = color(style);
    series.push({ label, stroke, width: 1.8, dash: style.dash, spanGaps: true, points: { show: false } });
    if (bucket <= 1) continue;
    const bounds = { stroke: 'transparent', width: 0, spanGaps: true, points: { show: false } };
    series.push({ ...bounds, label: `${label}, least` }, { ...bounds, label: `${label}, largest` });
    bands.push({
      series: [series.length - 1, series.length - 2],
      fill: `${stroke}${style.dash?.length ? '18' : '2c'}`,
    });
  }
  return {
    width,
    height,
    series,
    bands,
    scales: { x: { time: false }, y: { distr: log ? 3 : 1, ...(outliers ? {} : { range: rangeOf(log) }) } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 52 },
    ],
    legend: { show: false },
    hooks: { draw: [drawMarks(marks)] },
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    padding: [8 + markRow * Math.min(marks.length, markRows), 20, 0, 0],
  };
}

export const size = { width: 400, height: 210, left: 46, right: 8, top: 8, bottom: 30 };

/** The inner width and height of a drawing. */
export const inside = () => [size.width - size.left - size.right, size.height - size.top - size.bottom];

/** Bars side by side, one for each name. */
export function barChart(bars, label) {
  const [w, h] = inside();
  const tallest = Math.max(...bars.map(({ value }) => value).filter(Number.isFinite), 1e-12);
  const width = w / Math.max(1, bars.length);
  const marks = bars.map(({ value, fill }, i) => {
    const height = Number.isFinite(value) ? (h * Math.max(0, value)) / tallest : 0;
    const gap = Math.max(Math.min(12, width / 4), width - 90);
    return svg('rect', {
      x: size.left + i * width + gap / 2,
      y: size.top + h - height,
      width: width - gap,
      height,
      fill,
    });
  });
  const names = bars.map(({ label }, i) => [size.left + (i + 0.5) * width, label]);
  return frame(
    marks,
    names,
    [
      [size.top + h, '0'],
      [size.top + 8, Number.isInteger(tallest) ? String(tallest) : number(tallest)],
    ],
    label,
    true,
  );
}

/** Marks with their axes. @param middle whether every text of the x axis stands under the middle of what it names */
export function frame(marks, xTicks, yTicks, label, middle = false) {
  const { width, height, left, right, bottom } = size;
  const anchor = (i) => {
    if (middle || xTicks.length === 1) return 'mid';
    return i === xTicks.length - 1 ? 'end' : i === 0 ? '' : 'mid';
  };
  return svg(
    'svg',
    { class: 'drawn', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    svg('line', { class: 'axis', x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }),
    ...yTicks.map(([y, text]) => svg('text', { class: 'end', x: left - 6, y }, text)),
    ...xTicks.map(([x, text], i) => svg('text', { class: anchor(i), x, y: height - bottom + 18 }, text)),
    ...marks,
  );
}

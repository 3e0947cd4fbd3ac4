import { number, svg } from './dom.js';

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
    const gap = Math.min(12, width / 4);
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
      [size.top + 8, number(tallest)],
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

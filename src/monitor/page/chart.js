import { color } from './colors.js';

const height = 210;

/**
 * A drawing of curves in an element: a line through the last value of each bucket, and where a bucket holds several values a band from
 * the least to the largest. It is made anew where other curves come, and else only given new numbers.
 */
export function chart(element) {
  let plot;
  let key = '';
  new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height })).observe(element);

  return (curves, { log, label }) => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const now = JSON.stringify([log, dark, curves.map(({ label, style, width }) => [label, style.light, width > 1])]);
    const data = aligned(curves);
    if (now === key && plot) {
      plot.setData(data);
      return;
    }
    key = now;
    plot?.destroy();
    plot = new globalThis.uPlot(options(curves, { log, width: element.clientWidth || 400 }), data, element);
    const canvas = element.querySelector('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `${label}; the newest numbers are in the table below`);
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

function options(curves, { log, width }) {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: read('--quiet'),
    grid: { stroke: read('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
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
    ...{ width, height, series, bands },
    scales: { x: { time: false }, y: { distr: log ? 3 : 1 } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 52 },
    ],
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    padding: [8, 20, 0, 0],
  };
}

import { barChart, color, frame, inside, networkColors, size, titleOf } from './chart.js';
import { $, el, number, svg, tick, write } from './dom.js';

const bins = 24;
const mostRanges = 120; // samples drawn one by one, evenly spaced in rank

/** Draws what is measured sample by sample, as the record of each stream declares it: histograms, bars of words, ranges. */
export function drawSamples({ samples, sampled }, chosen) {
  const streams = Object.keys(sampled).filter((stream) => samples.some((one) => one.stream === stream));
  $('sampled').hidden = streams.length === 0;
  size.width = columnWidth($('sampled-drawn').clientWidth);
  const parts = streams.map((stream) => {
    const own = newestOf(samples.filter((one) => one.stream === stream && [one.network, ''].includes(chosen)));
    return drawStream(stream, sampled[stream], own);
  });
  write($('sampled-summary'), parts.map(({ summary }) => summary).join(' '));
  $('sampled-drawn').replaceChildren(...parts.flatMap(({ figures }) => figures));
}

const gap = 28; // between columns, and the least width of one: as in the style sheet
const least = 400;

/** The width that a drawing gets, so that its texts have the size of the page's. */
function columnWidth(whole) {
  const columns = Math.max(1, Math.floor((whole + gap) / (least + gap)));
  return Math.max(260, (whole - gap * (columns - 1)) / columns);
}

/** The samples of each network's newest weights. */
function newestOf(samples) {
  const newest = new Map();
  for (const { network, number } of samples) newest.set(network, Math.max(newest.get(network) ?? 0, number));
  return samples.filter(({ network, number }) => number === newest.get(network));
}

function drawStream(stream, { name, fields }, samples) {
  const networks = [...new Set(samples.map(({ network }) => network))];
  const drawn = Object.entries(fields).filter(([, { shown }]) => shown !== undefined);
  const headlines = drawn.filter(([, { headline }]) => headline);
  const figures = [];
  const summaries = [];
  for (const [field, about] of drawn) {
    const title = `${name === stream ? '' : `${stream}: `}${titleOf(about)}`;
    if (about.type === 'text') {
      if (samples.some(({ values }) => values[field])) figures.push(figure(title, wordBars(samples, field, title), []));
    } else if (about.headline || headlines.length === 0) {
      for (const part of partsOf(samples, field)) {
        const values = networks.map((network) => ({ network, values: numbersOf(samples, network, part) }));
        if (values.every((one) => one.values.length === 0)) continue;
        const full = part === field ? title : `${title}, ${part.slice(field.length + 1)}`;
        figures.push(figure(full, histogram(values, full), keys(networks)));
        if (about.headline) summaries.push(summaryOf(full, values));
      }
    }
  }
  const [main] = headlines;
  const alike = drawn.filter(
    ([, { type, unit }]) => type === 'number' && unit !== undefined && unit === main?.[1].unit,
  );
  const ranges = samples.filter(({ values }) => alike.filter(([field]) => values[field] > 0).length > 1);
  if (main !== undefined && ranges.length > 0) {
    const title = `${alike.map(([, { label }]) => label).join(', ')}: sample by sample`;
    figures.push(
      figure(
        titleOf({ label: title }),
        drawRanges(
          ranges,
          main[0],
          alike.map(([field]) => field),
          title,
        ),
        keys(networks),
      ),
    );
  }
  return { figures, summary: `${name}: ${samples.length} samples. ${summaries.join(' ')}` };
}

/** The field, or where it is several numbers by name the name of each: `lower.l2`. */
const partsOf = (samples, field) =>
  [...new Set(samples.flatMap(({ values }) => Object.keys(values)))].filter(
    (key) => key === field || key.startsWith(`${field}.`),
  );

const numbersOf = (samples, network, field) =>
  samples.flatMap((one) => (one.network === network && Number.isFinite(one.values[field]) ? [one.values[field]] : []));

function summaryOf(title, networks) {
  const means = networks.map(({ network, values }) => {
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    return values.length === 0 ? `${network} none` : `${network} mean ${number(mean)} of ${values.length}`;
  });
  return `${title}: ${means.join(', ')}.`;
}

const figure = (title, drawing, keys) => el('figure', {}, el('figcaption', {}, el('h3', {}, title), ...keys), drawing);

const keys = (networks) =>
  networks.map((name) =>
    el(
      'span',
      { class: 'key' },
      svg(
        'svg',
        { width: 10, height: 10, 'aria-hidden': 'true' },
        svg('rect', { width: 10, height: 10, rx: 2, fill: colorOf(name) }),
      ),
      name,
    ),
  );

const colorOf = (network) => color(networkColors(network));

/** How many samples have each word; of all networks together. */
function wordBars(samples, field, title) {
  const words = [...new Set(samples.flatMap(({ values }) => values[field] ?? []))];
  const fill = color(networkColors(''));
  const bars = words.map((word) => {
    const value = samples.filter(({ values }) => values[field] === word).length;
    return { label: `${word} ${value}`, value, fill };
  });
  return barChart(bars, title);
}

function histogram(networks, title) {
  const all = networks.flatMap(({ values }) => values);
  const [least, largest] = [Math.min(0, ...all), Math.max(...all)];
  const span = Math.max(largest - least, 1e-12);
  const [w, h] = inside();
  const { left, top } = size;
  const counted = networks.map(({ network, values }) => {
    const counts = new Array(bins).fill(0);
    for (const value of values) counts[Math.min(bins - 1, Math.floor((bins * (value - least)) / span))]++;
    return { network, counts };
  });
  const tallest = Math.max(1, ...counted.flatMap(({ counts }) => counts));
  const bar = w / bins / Math.max(1, networks.length);
  const bars = counted.flatMap(({ network, counts }, n) =>
    counts.map((value, i) =>
      value === 0
        ? null
        : svg('rect', {
            x: left + (i * w) / bins + n * bar,
            y: top + h - (h * value) / tallest,
            width: Math.max(0.8, bar - 0.6),
            height: (h * value) / tallest,
            fill: colorOf(network),
          }),
    ),
  );
  const ticks = [least, least + span / 2, least + span].map((value) => [
    left + (w * (value - least)) / span,
    number(value),
  ]);
  return frame(
    bars,
    ticks,
    [
      [top + h, '0'],
      [top + 8, String(tallest)],
    ],
    `Histogram of ${title}; the numbers stand above it`,
  );
}

/** Each sample as a line between its values of one unit; a dot for the main one. By the main value, on a log scale. */
function drawRanges(samples, main, fields, title) {
  const sorted = [...samples].sort((a, b) => a.values[main] - b.values[main]);
  const stride = Math.max(1, sorted.length / mostRanges);
  const shown = Array.from({ length: Math.min(mostRanges, sorted.length) }, (_, i) => sorted[Math.floor(i * stride)]);
  const valuesOf = ({ values }) => fields.map((field) => values[field]).filter((value) => value > 0);
  const logs = shown.flatMap(valuesOf).map(Math.log10);
  const [least, largest] = [Math.min(...logs) - 0.05, Math.max(...logs) + 0.05];
  const [w, h] = inside();
  const { left, top } = size;
  const y = (value) => top + h - (h * (Math.log10(value) - least)) / (largest - least);
  const marks = shown.flatMap((sample, i) => {
    const x = left + (w * (i + 0.5)) / shown.length;
    const stroke = colorOf(sample.network);
    const half = Math.min(4, w / shown.length / 2.5);
    const values = valuesOf(sample);
    const point = sample.values[main];
    return [
      svg('line', { x1: x, x2: x, y1: y(Math.min(...values)), y2: y(Math.max(...values)), stroke, opacity: 0.4 }),
      ...values
        .filter((value) => value !== point)
        .map((value) =>
          svg('line', { x1: x - half, x2: x + half, y1: y(value), y2: y(value), stroke, 'stroke-width': 1.6 }),
        ),
      point > 0 ? svg('circle', { cx: x, cy: y(point), r: Math.min(3, half + 0.8), fill: stroke }) : null,
    ];
  });
  const ticks = ticksOf(10 ** least, 10 ** largest).map((value) => [y(value) + 4, tick(value)]);
  return frame(marks, [[left + w / 2, `${samples.length} samples (log scale)`]], ticks, title);
}

/** Powers of ten, and where those are few their double and their half too. */
function ticksOf(least, largest) {
  const all = [];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= largest; power++) {
    for (const times of largest / least < 1000 ? [1, 2, 5] : [1]) all.push(times * 10 ** power);
  }
  return all.filter((value) => value >= least && value <= largest);
}

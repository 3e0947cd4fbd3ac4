import { color, lookOf } from './colors.js';
import { $, el, number, svg, write } from './dom.js';

const size = { height: 210, left: 46, right: 8, top: 8, bottom: 30 };
const bins = 24;
const mostBars = 120; // samples drawn with their bounds, evenly spaced in rank

/** Draws what the attack has found so far: how the distances are spread, and each sample's bounds. */
export function drawDistances({ attacks }, chosen) {
  const found = eachAttack(
    attacks.filter(
      ({ distance, network }) => Number.isFinite(distance) && distance > 0 && [network, ''].includes(chosen),
    ),
  );
  $('distances').hidden = attacks.length === 0;
  if (attacks.length === 0) return;
  const networks = [...new Set(found.map(({ network }) => network))];
  const told = networks.map((name) => {
    const own = found.filter(({ network }) => network === name).map(({ distance }) => distance);
    return `${name}: ${own.length} samples, mean ${number(own.reduce((sum, one) => sum + one, 0) / own.length)}`;
  });
  write(
    $('distances-said'),
    found.length === 0 ? 'No adversarial sample was found yet.' : `${told.join('; ')}. l2 in units of the input.`,
  );
  const bounded = found.filter(({ lower }) => Number.isFinite(lower) && lower > 0);
  const whole = $('distances-drawn').clientWidth;
  size.width = Math.max(260, bounded.length > 0 && whole > 840 ? (whole - 28) / 2 : whole); // beside the other one, where there is room
  const drawn = [];
  if (found.length > 0) {
    drawn.push(figure('How far the nearest adversarial sample is', histogram(found, networks), keys(networks)));
  }
  if (bounded.length > 0) {
    drawn.push(figure('Between proved lower bound and distance found, sample by sample', bounds(bounded)));
  }
  $('distances-drawn').replaceChildren(...drawn);
}

/** Samples of the newest weights that each stream attacked, under the network's name; where there are several streams, under both names. */
function eachAttack(found) {
  const newest = new Map();
  const key = ({ network, stream }) => `${network}, ${stream}`;
  for (const one of found) newest.set(key(one), Math.max(newest.get(key(one)) ?? 0, one.number ?? 0));
  const several = new Set(found.map(({ stream }) => stream)).size > 1;
  return found
    .filter((one) => (one.number ?? 0) === newest.get(key(one)))
    .map((one) => ({ ...one, network: several ? key(one) : one.network }));
}

const figure = (title, drawing, keys = []) =>
  el('figure', {}, el('figcaption', {}, el('h3', {}, title), ...keys), drawing);

const keys = (networks) =>
  networks.map((name) =>
    el(
      'span',
      { class: 'key' },
      svg(
        'svg',
        { width: 10, height: 10, 'aria-hidden': 'true' },
        svg('rect', { width: 10, height: 10, rx: 2, fill: looks(name) }),
      ),
      name,
    ),
  );

const looks = (network) => color(lookOf({ network, stream: 'attacks', field: '' }, 0, false));

function histogram(found, networks) {
  const largest = Math.max(...found.map(({ distance }) => distance), 1e-12);
  const counts = new Map(networks.map((name) => [name, new Array(bins).fill(0)]));
  for (const { network, distance } of found)
    counts.get(network)[Math.min(bins - 1, Math.floor((bins * distance) / largest))]++;
  const tallest = Math.max(1, ...[...counts.values()].flat());
  const { width, height, left, right, top, bottom } = size;
  const [w, h] = [width - left - right, height - top - bottom];
  const bar = w / bins / Math.max(1, networks.length);
  const bars = networks.flatMap((name, n) =>
    counts.get(name).map((value, i) =>
      value === 0
        ? null
        : svg('rect', {
            x: left + (i * w) / bins + n * bar,
            y: top + h - (h * value) / tallest,
            width: Math.max(0.8, bar - 0.6),
            height: (h * value) / tallest,
            fill: looks(name),
          }),
    ),
  );
  return frame(
    bars,
    [0, largest / 2, largest].map((value) => [left + (w * value) / largest, number(value)]),
    [
      [top + h, '0'],
      [top + 8, String(tallest)],
    ],
    'Histogram of adversarial distances; the numbers stand above it',
  );
}

function bounds(samples) {
  const sorted = [...samples].sort((a, b) => a.distance - b.distance);
  const stride = Math.max(1, sorted.length / mostBars);
  const shown = Array.from({ length: Math.min(mostBars, sorted.length) }, (_, i) => sorted[Math.floor(i * stride)]);
  const logs = shown.flatMap(({ lower, distance }) => [Math.log10(lower), Math.log10(distance)]);
  const [least, largest] = [Math.min(...logs) - 0.05, Math.max(...logs) + 0.05];
  const { width, height, left, right, top, bottom } = size;
  const [w, h] = [width - left - right, height - top - bottom];
  const y = (value) => top + h - (h * (Math.log10(value) - least)) / (largest - least);
  const marks = shown.flatMap(({ network, lower, distance }, i) => {
    const x = left + (w * (i + 0.5)) / shown.length;
    const stroke = looks(network);
    const half = Math.min(4, w / shown.length / 2.5);
    return [
      svg('line', { x1: x, x2: x, y1: y(lower), y2: y(distance), stroke, opacity: 0.4 }),
      svg('line', { x1: x - half, x2: x + half, y1: y(lower), y2: y(lower), stroke, 'stroke-width': 1.6 }),
      svg('circle', { cx: x, cy: y(distance), r: Math.min(3, half + 0.8), fill: stroke }),
    ];
  });
  const ticks = ticksOf(10 ** least, 10 ** largest).map((value) => [y(value) + 4, number(value)]);
  return frame(
    marks,
    [[left + w / 2, `${samples.length} samples, by distance (log scale)`]],
    ticks,
    'Each sample between its lower bound and the distance found',
  );
}

function frame(marks, xTicks, yTicks, label) {
  const { width, height, left, right, bottom } = size;
  return svg(
    'svg',
    { class: 'drawn', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    svg('line', { class: 'axis', x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }),
    ...yTicks.map(([y, text]) => svg('text', { class: 'end', x: left - 6, y }, text)),
    ...xTicks.map(([x, text], i) =>
      svg(
        'text',
        {
          class: xTicks.length > 1 && i === xTicks.length - 1 ? 'end' : xTicks.length > 1 && i === 0 ? '' : 'mid',
          x,
          y: height - bottom + 18,
        },
        text,
      ),
    ),
    ...marks,
  );
}

/** Powers of ten, and where those are few their double and their half too. */
function ticksOf(least, largest) {
  const all = [];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= largest; power++) {
    for (const times of largest / least < 1000 ? [1, 2, 5] : [1]) all.push(times * 10 ** power);
  }
  return all.filter((value) => value >= least && value <= largest);
}

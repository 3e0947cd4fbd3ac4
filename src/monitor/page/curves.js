import { barChart, chart, color, labelOf, styleOf, styleOfRun, titleOf } from './chart.js';
import { $, count, el, number, write } from './dom.js';

const most = 12; // curves in one drawing
const charts = new Map();
const compared = new Map();

/** The curves of other runs, drawn over these in a color for each run; by the run's name. */
export function compare(name, log) {
  if (log === undefined) compared.delete(name);
  else compared.set(name, log);
}

/** The runs that are compared, by name. */
export const comparedRuns = () => [...compared.keys()];

/**
 * Draws every curve that is known, of the network chosen or of all; fields of one label and unit together.
 *
 * @param forks the update of each fork, and its label
 * @param about the run's networks as planned, the changes of its config, and what it was forked from
 */
export function drawCurves(log, forks = [], { networks: planned = [], changes = [], forks: from = [] } = {}) {
  const all = [...log.curves.values()].filter(({ buckets }) => buckets.length > 0);
  choices([...new Set(all.map(({ network }) => network))]);
  const chosen = $('network').value;
  const one = chosen !== '';
  const marks = [...forks, ...changesOf(changes, chosen), ...branchOf(all, planned, chosen)];
  write($('reading'), readingOf(log, all, from));
  const groups = new Map();
  for (const curve of all) {
    if (one ? curve.network !== chosen : isNoise(curve)) continue;
    const title = titleOf(curve.about);
    groups.set(title, [...(groups.get(title) ?? []), curve]);
  }
  for (const [title, curves] of groups) {
    const own = curves.slice(0, most).map((curve) => withTrunk(curve, all, { planned, drawn: one ? [] : curves }));
    const layers = [...new Set(own.map(({ part }) => part))];
    const bars = own.every(({ about }) => about.shown === 'bars');
    const drawn = own.map((curve, i) => ({
      ...curve,
      label: labelOf(curve, one, own),
      style: styleOf(curve, i, one, layers.indexOf(curve.part)),
    }));
    show(title, bars ? drawn : [...drawn, ...othersLike(drawn, chosen)], { bars, marks });
  }
  for (const title of charts.keys()) if (!groups.has(title)) hide(title);
  table(all);
}

/** What was set while the run went on, of the network chosen or of all. */
const changesOf = (changes, chosen) =>
  changes.flatMap(({ updates, keys }) => {
    const at = new Set(
      Object.entries(updates).flatMap(([network, number]) => (['', network].includes(chosen) ? number : [])),
    );
    return [...at].map((number) => ({ at: number, label: `${keys} changed` }));
  });

/** Where the network chosen branched off another. */
function branchOf(all, planned, chosen) {
  const { of } = planned.find(({ name }) => name === chosen)?.branch ?? {};
  if (of === undefined) return [];
  const last = all
    .filter(({ network }) => network === chosen)
    .map((curve) => trunkOf(curve, all, planned).buckets.at(-1)?.[0] ?? 0);
  const at = Math.max(0, ...last);
  return at > 0 ? [{ at, label: `branch off ${of}` }] : [];
}

/** The values of the network that a curve's branched off, up to where it did. */
function trunkOf(curve, beside, planned) {
  const { of } = planned.find(({ name }) => name === curve.network)?.branch ?? {};
  const trunk = beside.find(({ network, stream, field }) => {
    return network === of && stream === curve.stream && field === curve.field;
  });
  const [first] = curve.buckets;
  if (trunk === undefined || first === undefined) return { buckets: [], width: 1 };
  return { buckets: trunk.buckets.filter(([at]) => at < first[0]), width: trunk.width };
}

/**
 * A curve of a network that branched off another, behind the other's up to where it did; where the other's is drawn too, from its last
 * value on, so that it does not cover it.
 */
function withTrunk(curve, beside, { planned, drawn }) {
  const { buckets: before, width } = trunkOf(curve, beside, planned);
  const { of } = planned.find(({ name }) => name === curve.network)?.branch ?? {};
  const isThere = drawn.some(
    ({ network, stream, field }) => network === of && stream === curve.stream && field === curve.field,
  );
  const shown = isThere ? before.slice(-1) : before;
  return { ...curve, buckets: [...shown, ...curve.buckets], width: Math.max(curve.width, width) };
}

/** The same curves of the runs that are compared. */
function othersLike(drawn, chosen) {
  const one = chosen !== '';
  return [...compared].flatMap(([run, other], i) =>
    [...other.curves.values()].flatMap((curve) => {
      const like = drawn.find(({ stream, field, network }) => {
        const same = one ? curve.network === chosen || isOnly(other) : curve.network === network;
        return curve.field === field && curve.stream === stream && same;
      });
      if (like === undefined || curve.buckets.length === 0) return [];
      return [{ ...curve, label: `${like.label}, ${run}`, style: styleOfRun(i, like.style) }];
    }),
  );
}

/** The loss of each batch would cover everything else where several networks are shown. */
const isNoise = ({ role, about }) => role === 'training' && about.better !== undefined && !about.headline;

const isOnly = (log) => new Set([...log.curves.values()].map(({ network }) => network)).size === 1;

function choices(networks) {
  const select = $('network');
  const known = [...select.options].slice(1).map(({ value }) => value);
  if (known.join('\n') === networks.join('\n')) return;
  const before = select.dataset.chosen === undefined ? '' : select.value;
  select.replaceChildren(
    el('option', { value: '' }, 'all networks'),
    ...networks.map((name) => el('option', { value: name }, name)),
  );
  select.value = networks.length === 1 ? networks[0] : networks.includes(before) ? before : '';
}

function hide(title) {
  charts.get(title).figure.remove();
  charts.delete(title);
}

function show(title, drawn, { bars, marks }) {
  let chartOf = charts.get(title);
  if (chartOf === undefined) {
    const figure = el(
      'figure',
      {},
      el('figcaption', {}, el('h3', {}, title), el('span', { class: 'keys' })),
      el('div'),
    );
    $('curves').append(figure);
    chartOf = { figure, draw: bars ? undefined : chart(figure.lastChild) };
    charts.set(title, chartOf);
  }
  const { figure, draw } = chartOf;
  figure.querySelector('.keys').replaceChildren(...drawn.map(keyOf));
  if (draw === undefined) {
    const newest = drawn.map(({ label, style, buckets }) => ({ label, value: buckets.at(-1)[3], fill: color(style) }));
    figure.lastChild.replaceChildren(barChart(newest, `${title}, newest values`));
  } else {
    const outliers = $('outliers').checked;
    const log = $('log').checked && drawn.some(({ about }) => about.scale === 'log');
    draw(drawn, { log, outliers, marks, label: `${title} over updates` });
  }
}

/** A line of the legend: how the curve looks, what it is, and its newest number. */
function keyOf({ label, style, buckets }) {
  const sample = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  sample.setAttribute('width', '20');
  sample.setAttribute('height', '8');
  sample.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  for (const [key, value] of Object.entries({ x1: 0, x2: 20, y1: 4, y2: 4, stroke: color(style), 'stroke-width': 2.5 }))
    line.setAttribute(key, value);
  if (style.dash.length > 0) line.setAttribute('stroke-dasharray', style.dash.join(' '));
  sample.append(line);
  return el('span', { class: 'key' }, sample, label, el('b', {}, number(buckets.at(-1)[3])));
}

function readingOf({ read, size, omitted }, all, forks) {
  if (size > 0 && read < size) return `Reading the metric log: ${Math.floor((100 * read) / size)} %.`;
  if (all.length === 0) return 'Nothing was measured yet.';
  const thinned = all.some(({ width }) => width > 1)
    ? 'Long curves are thinned; the shaded band holds their least and largest values. '
    : '';
  const [fork] = forks;
  const before = fork ? ` Up to update ${count(fork.at)} this run is ${fork.run}.` : '';
  const over = omitted > 0 ? ' Some curves are left out: there are more than 400.' : '';
  return `${thinned}Over updates.${before}${over}`;
}

function table(all) {
  if (!$('numbers').open) return;
  $('numbers')
    .querySelector('tbody')
    .replaceChildren(
      ...all.map(({ network, stream, field, buckets }) =>
        el(
          'tr',
          {},
          el('td', {}, network),
          el('td', {}, `${stream} ${field}`),
          el('td', { class: 'n' }, String(buckets.at(-1)[0])),
          el('td', { class: 'n' }, number(buckets.at(-1)[3])),
        ),
      ),
    );
}

import { chart } from './chart.js';
import { color, labelOf, lookOf } from './colors.js';
import { $, el, number, write } from './dom.js';

const most = 12; // curves in one drawing
const groups = [
  { id: 'loss', title: 'Loss', takes: (field) => /loss$/i.test(field), log: true },
  { id: 'accuracy', title: 'Accuracy', takes: (field) => /accuracy$/i.test(field) },
  { id: 'sigma', title: 'σ per layer', takes: (field) => /^sigma\./.test(field), log: true },
  { id: 'rate', title: 'Learning rate', takes: (field) => /^(learningRate|rate)$/.test(field), log: true },
];
const charts = new Map();
const compared = new Map();

/** The curves of other runs, drawn dashed over these; by the run's name. */
export function compare(name, log) {
  if (log === undefined) compared.delete(name);
  else compared.set(name, log);
}

/** Draws every curve that is known, of the network chosen or of all. */
export function drawCurves(log, under) {
  const all = [...log.curves.values()].filter(({ buckets }) => buckets.length > 0);
  choices([...new Set(all.map(({ network }) => network))], under);
  const chosen = $('network').value;
  write($('reading'), readingOf(log, all));
  const one = chosen !== '';
  for (const group of groups) {
    const own = all
      .filter((curve) => group.takes(curve.field) && (one ? curve.network === chosen : !isNoise(curve)))
      .slice(0, most);
    const drawn = own.map((curve, i) => ({ ...curve, label: labelOf(curve, one), look: lookOf(curve, i, one) }));
    for (const [run, other] of compared) {
      const others = [...other.curves.values()].filter(
        ({ network, field, stream, buckets }) =>
          buckets.length > 0 &&
          group.takes(field) &&
          own.some(
            (mine) => mine.field === field && mine.stream === stream && (!one || network === chosen || isOnly(other)),
          ),
      );
      for (const curve of others.slice(0, most)) {
        const like = drawn.find(
          (mine) =>
            mine.field === curve.field && mine.stream === curve.stream && (one || mine.network === curve.network),
        );
        if (like)
          drawn.push({
            ...curve,
            label: `${labelOf(curve, one)}, ${run}`,
            look: { ...like.look, dash: [3, 4] },
            other: true,
          });
      }
    }
    show(group, drawn);
  }
  table(all);
}

/** The loss batch by batch would cover everything else where several networks are shown. */
const isNoise = ({ stream, field }) => stream === 'updates' && field === 'loss';

const isOnly = (log) => new Set([...log.curves.values()].map(({ network }) => network)).size === 1;

function choices(networks, under) {
  const select = $('network');
  const known = [...select.options].slice(1).map(({ value }) => value);
  if (known.join('\n') === networks.join('\n')) return;
  const before = select.dataset.chosen === undefined ? (under ?? networks.at(-1)) : select.value;
  select.replaceChildren(
    el('option', { value: '' }, 'all networks'),
    ...networks.map((name) => el('option', { value: name }, name)),
  );
  select.value = networks.includes(before)
    ? before
    : networks.length === 1
      ? networks[0]
      : select.dataset.chosen === undefined
        ? (networks.at(-1) ?? '')
        : '';
}

function show(group, drawn) {
  let kept = charts.get(group.id);
  if (drawn.length === 0) {
    kept?.figure.remove();
    charts.delete(group.id);
    return;
  }
  if (kept === undefined) {
    const figure = el(
      'figure',
      {},
      el('figcaption', {}, el('h3', {}, group.title), el('span', { class: 'keys' })),
      el('div'),
    );
    $('curves').append(figure);
    kept = { figure, draw: chart(figure.lastChild) };
    charts.set(group.id, kept);
    for (const { id } of groups) if (charts.has(id)) $('curves').append(charts.get(id).figure);
  }
  const list = kept.figure.querySelector('.keys');
  list.replaceChildren(...drawn.map(keyOf));
  kept.draw(drawn, { log: group.log && $('log').checked, label: `${group.title} over updates` });
}

/** A line of the legend: how the curve looks, what it is, and its newest number. */
function keyOf({ label, look, buckets }) {
  const sample = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  sample.setAttribute('width', '20');
  sample.setAttribute('height', '8');
  sample.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  for (const [key, value] of Object.entries({ x1: 0, x2: 20, y1: 4, y2: 4, stroke: color(look), 'stroke-width': 2.5 }))
    line.setAttribute(key, value);
  if (look.dash.length > 0) line.setAttribute('stroke-dasharray', look.dash.join(' '));
  sample.append(line);
  return el('span', { class: 'key' }, sample, label, el('b', {}, number(buckets.at(-1)[3])));
}

function readingOf({ read, size, omitted }, all) {
  if (size > 0 && read < size) return `Reading the metric log: ${Math.floor((100 * read) / size)} %.`;
  if (all.length === 0) return 'Nothing was measured yet.';
  const thinned = all.some(({ width }) => width > 1)
    ? 'Long curves are thinned; the shaded band holds their least and largest values. '
    : '';
  return `${thinned}Over updates.${omitted > 0 ? ' Some curves are left out: there are more than 400.' : ''}`;
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

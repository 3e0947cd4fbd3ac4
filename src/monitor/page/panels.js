import { color, networkColors } from './chart.js';
import { take } from './connection.js';
import { compare } from './curves.js';
import { $, count, el, mebibytes, number, rows, svg, write } from './dom.js';

const size = { row: 22, left: 8, right: 8 };

/** Draws when snapshots were written, a line for each network. */
export function drawTimeline(snapshots) {
  const all = snapshots ?? [];
  const last = all.at(-1);
  write(
    $('snapshots-summary'),
    last
      ? `${all.length} on the disk, ${mebibytes(all.reduce((sum, { bytes }) => sum + bytes, 0))} in all; the newest of ${last.network} (${labelOf(last)}), ${new Date(last.at).toLocaleTimeString()}.`
      : 'None was written yet.',
  );
  if (!last) return $('timeline').replaceChildren();
  const networks = [...new Set(all.map(({ network }) => network))];
  const [begin, end] = [all[0].at, Math.max(last.at, all[0].at + 1000)];
  const { row, left, right } = size;
  const width = Math.max(240, $('timeline').clientWidth);
  const height = networks.length * (row + 16) + 20;
  const x = (at) => left + 6 + ((width - left - right - 12) * (at - begin)) / (end - begin);
  const rows = networks.flatMap((name, i) => {
    const y = i * (row + 16) + 28;
    return [
      svg('text', { x: left, y: y - 12 }, name),
      svg('line', { class: 'axis', x1: left, x2: width - right, y1: y, y2: y }),
      ...all
        .filter(({ network }) => network === name)
        .map((one) =>
          svg(
            'circle',
            { cx: x(one.at), cy: y, r: one.pinned ? 6 : 4.5, fill: color(networkColors(name)) },
            svg('title', {}, `${name}, ${labelOf(one)}: ${new Date(one.at).toLocaleString()}, ${mebibytes(one.bytes)}`),
          ),
        ),
    ];
  });
  const time = (at) => new Date(at).toLocaleTimeString();
  $('timeline').replaceChildren(
    svg(
      'svg',
      {
        class: 'drawn',
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': `Snapshots from ${time(begin)} to ${time(end)}`,
      },
      ...rows,
      svg('text', { x: left, y: height - 2 }, time(begin)),
      svg('text', { class: 'end', x: width - right, y: height - 2 }, time(end)),
    ),
  );
}

const labelOf = ({ label, pinned }) => (pinned ? label : `update ${label}`);

const compared = new Set();

/** The column that the runs are sorted by, and whether from the largest down; in the beginning by name, as they come. */
const order = { column: 'Run', down: false };

/** The columns of the runs: the name of each, the key to sort by, and the text. The results of any run have a column each. */
const columnsOf = (runs) => [
  { name: 'Run', key: (run) => run.name, text: (run) => run.name },
  { name: 'Pipeline', key: (run) => run.pipeline, text: (run) => run.pipeline || '–' },
  { name: 'Seed', key: (run) => run.seed, text: (run) => (run.seed === null ? '–' : String(run.seed)) },
  {
    name: 'Config',
    key: (run) => run.differs,
    text: (run) => (run.own ? 'this one' : (run.differs ?? '–') || 'the same'),
  },
  ...(runs.some(({ fork }) => fork)
    ? [
        {
          name: 'Forked from',
          key: ({ fork }) => fork?.run ?? null,
          text: ({ fork }) => (fork ? `${fork.run} at ${count(fork.at)}` : '–'),
        },
      ]
    : []),
  { name: 'State', key: (run) => run.state, text: (run) => run.state },
  ...[...new Set(runs.flatMap(({ results }) => Object.keys(results)))].map((label) => ({
    name: label.charAt(0).toUpperCase() + label.slice(1),
    key: ({ results }) => results[label] ?? null,
    text: ({ results }) => number(results[label]),
  })),
  { name: 'Epoch', key: (run) => run.epoch, text: epochOf },
  { name: 'Update', key: (run) => run.update, text: (run) => count(run.update) },
];

const epochOf = ({ epoch, epochs }) =>
  epoch === null ? '–' : `${count(epoch)}${epochs === null ? '' : `/${count(epochs)}`}`;

/** The runs in the chosen order; one without a value stands last, whichever way. */
function sorted(runs, columns) {
  const { key } = columns.find(({ name }) => name === order.column) ?? columns[0];
  const sign = order.down ? -1 : 1;
  return [...runs].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? 1 : -1;
    return a < b ? -sign : sign;
  });
}

/** The head of a column: a button that sorts by it, and turns the order when it is pressed again. */
function headOf(name, again) {
  const button = el('button', { type: 'button', class: 'sort', 'data-run': `sort ${name}` }, name);
  button.onclick = () => {
    order.down = order.column === name ? !order.down : name.startsWith('Test ');
    order.column = name;
    again();
  };
  const way = order.down ? 'descending' : 'ascending';
  return el('th', { scope: 'col', 'aria-sort': order.column === name ? way : null }, button);
}

/** Lists the runs beside this one, by the column that was chosen; each can be drawn over its curves. */
export function drawRuns(runs, redraw) {
  $('runs').hidden = !runs || runs.length < 2;
  if (!runs) return;
  const focused = $('runs').querySelector(':focus')?.dataset.run;
  const columns = columnsOf(runs);
  const rows = sorted(runs, columns).map((run) => {
    const { name, own } = run;
    const tick = el('input', {
      type: 'checkbox',
      'data-run': name,
      'aria-label': `Compare with ${name}`,
      checked: compared.has(name),
    });
    tick.onchange = () => toggle(name, tick, redraw);
    const cells = columns.map(({ name: column, text }) =>
      column === 'Config' ? el('td', { class: 'cut', title: text(run) }, text(run)) : el('td', {}, text(run)),
    );
    return el('tr', own ? { 'aria-current': 'true' } : {}, el('td', {}, own ? 'this run' : tick), ...cells);
  });
  const heads = columns.map(({ name }) => headOf(name, () => drawRuns(runs, redraw)));
  $('runs')
    .querySelector('thead tr')
    .replaceChildren(el('th', { scope: 'col' }, 'Compare'), ...heads);
  $('runs')
    .querySelector('tbody')
    .replaceChildren(...rows);
  if (focused)
    $('runs')
      .querySelector(`[data-run="${CSS.escape(focused)}"]`)
      ?.focus();
}

async function toggle(name, tick, redraw) {
  if (!tick.checked) {
    compared.delete(name);
    compare(name, undefined);
    return redraw();
  }
  tick.disabled = true;
  const answer = await fetch(`/api/run?name=${encodeURIComponent(name)}`);
  tick.disabled = false;
  tick.checked = answer.ok;
  if (!answer.ok) return;
  compared.add(name);
  compare(name, take({ curves: new Map(), samples: [], sampled: {} }, await answer.json()));
  redraw();
}

const most = 300; // pulses that are drawn
const past = [];

/** Shows the process's memory and its tensors, and how the memory went since the page was opened. */
export function drawMemory(pulse) {
  $('memory').hidden = !pulse;
  if (!pulse) {
    past.length = 0;
    return;
  }
  const { memory, tensors } = pulse;
  past.push(memory.resident);
  if (past.length > most) past.shift();
  rows($('memory-rows'), [
    ['Resident', mebibytes(memory.resident)],
    ['JavaScript heap', mebibytes(memory.heap)],
    ['Arrays outside it', mebibytes(memory.arrays)],
    ...(tensors ? [['Tensors alive', `${count(tensors.count)}, ${mebibytes(tensors.bytes)}`]] : []),
  ]);
  if (past.length < 2) return;
  const [width, height] = [Math.max(240, $('memory-drawn').clientWidth), 70];
  const top = Math.max(...past) * 1.05;
  const points = past.map(
    (value, i) =>
      `${((i * width) / (past.length - 1)).toFixed(1)},${(height - 2 - ((height - 4) * value) / top).toFixed(1)}`,
  );
  $('memory-drawn').replaceChildren(
    svg(
      'svg',
      {
        class: 'drawn',
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': `Resident memory over the last ${past.length} seconds, from 0`,
      },
      svg('line', { class: 'axis', x1: 0, x2: width, y1: height - 1, y2: height - 1 }),
      svg('polyline', { points: points.join(' ') }),
    ),
  );
}

/** Shows the samples that came to the training step last, as they are after augmentation. */
export function drawPictures(pictures) {
  $('samples').hidden = !pictures;
  if (!pictures) return;
  const { width, height, channels, pixels, labels } = pictures;
  const list = $('pictures');
  while (list.children.length > pixels.length) list.lastChild.remove();
  while (list.children.length < pixels.length) list.append(el('li', {}, el('canvas', { role: 'img' }), el('span')));
  for (const [i, text] of pixels.entries()) {
    const [canvas, label] = /** @type {any} */ (list.children[i].children);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const image = new ImageData(width, height);
    for (let at = 0; at < width * height; at++) {
      for (let c = 0; c < 3; c++) image.data[4 * at + c] = bytes[at * channels + (channels === 3 ? c : 0)];
      image.data[4 * at + 3] = 255;
    }
    canvas.getContext('2d').putImageData(image, 0, 0);
    const named = labels[i] >= 0 ? `class ${labels[i]}` : '';
    canvas.setAttribute('aria-label', `sample ${i + 1}${named ? `, ${named}` : ''}`);
    label.textContent = named;
  }
}

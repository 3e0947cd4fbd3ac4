import { $, count, el, number, svg, write } from './dom.js';

const box = { width: 138, height: 50, gap: 26, wire: 92 };
const words = { source: 'source', workers: 'threads', serial: 'trains', stage: '', sink: '' };

let drawn = { key: '', stages: new Map(), edges: new Map() };

/** Draws what the run is doing: stages with their rate and busy share, edges with what waits, the slowest stage marked. */
export function drawGraph(pulse) {
  $('flow').hidden = false;
  if (!pulse) {
    write($('bottleneck'), 'The run is not under way here, so there is no live graph; all below is from its files.');
    $('graph').replaceChildren();
    $('stages').replaceChildren();
    drawn = { key: '', stages: new Map(), edges: new Map() };
    return;
  }
  const key = JSON.stringify([pulse.stages.map(({ name }) => name), pulse.edges.map(({ from, to }) => [from, to])]);
  if (key !== drawn.key) drawn = { key, ...lay(pulse) };
  const { bottleneck, ranks } = pulse;
  const waits =
    ranks.length > 0
      ? ` Ranks wait for each other ${ranks.map((share) => `${Math.round(100 * share)} %`).join(', ')} of the time.`
      : '';
  write(
    $('bottleneck'),
    `${count(pulse.samples)} samples trained a second. ${bottleneck ? `The others wait for ${bottleneck.name}: ${bottleneck.why}.` : 'Nothing is busy.'}${waits}`,
  );
  const waiting = new Map();
  for (const edge of pulse.edges) {
    const shown = queueText(edge);
    const { group, label } = drawn.edges.get(`${edge.from}\n${edge.to}`);
    write(label, shown);
    group.classList.toggle('full', edge.limit !== null && edge.queue >= 0.9 * edge.limit);
    if (shown) waiting.set(edge.to, `${shown} waiting before it`);
  }
  for (const { name, kind, rate, busy } of pulse.stages) {
    const one = drawn.stages.get(name);
    const slow = bottleneck?.name === name;
    const pace = `${number(rate)}/s`;
    const share = busy === null ? 'on threads' : `${Math.round(100 * busy)} % busy`;
    write(one.rate, kind === 'sink' ? pace : `${pace} · ${share}`);
    one.fill.setAttribute('width', ((box.width - 20) * (busy ?? 0)).toFixed(1));
    for (const part of [one.group, one.row]) part.classList.toggle('slow', slow);
    write(one.numbers, kind === 'sink' ? pace : `${pace}, ${share}${slow ? ', the bottleneck' : ''}`);
    write(one.fed, waiting.get(name) ?? '');
  }
}

const queueText = ({ queue, limit }) =>
  queue === null ? '' : limit === null ? count(queue) : `${count(queue)} / ${count(limit)}`;

function lay({ stages, edges }) {
  const { cells, width, height } = layout(stages, edges);
  const x = (column) => 1 + column * (box.width + box.wire);
  const y = (row) => 1 + row * (box.height + box.gap);
  const whole = [width * (box.width + box.wire) - box.wire + 2, height * (box.height + box.gap) - box.gap + 2];
  const all = { stages: new Map(), edges: new Map() };
  const lines = edges.map(({ from, to }) => {
    const [a, b] = [cells.get(from), cells.get(to)];
    const [x1, y1, x2, y2] = [
      x(a.column) + box.width,
      y(a.row) + box.height / 2,
      x(b.column),
      y(b.row) + box.height / 2,
    ];
    const half = Math.max(x1 + box.wire / 2, x2 - box.wire / 2);
    const bend =
      y1 === y2
        ? `H${x2}`
        : `H${half - 8}C${half},${y1},${half},${y1},${half},${y1 + Math.sign(y2 - y1) * 8}V${y2 - Math.sign(y2 - y1) * 8}C${half},${y2},${half},${y2},${half + 8},${y2}H${x2}`;
    const label = svg('text', { class: 'queue', x: (x1 + x2) / 2, y: y2 - 6 });
    const group = svg('g', {}, svg('path', { d: `M${x1},${y1}${bend}` }), label);
    all.edges.set(`${from}\n${to}`, { group, label });
    return group;
  });
  const boxes = stages.map(({ name, kind }) => {
    const { column, row } = cells.get(name);
    const rate = svg('text', { x: 10, y: 34 });
    const fill = svg('rect', { class: 'fill', x: 10, y: 40, width: 0, height: 4, rx: 2 });
    const track =
      kind === 'sink' ? null : svg('rect', { class: 'track', x: 10, y: 40, width: box.width - 20, height: 4, rx: 2 });
    const title = svg('text', { class: 'name', x: 10, y: 18 }, short(name));
    const group = svg(
      'g',
      { class: kind, transform: `translate(${x(column)},${y(row)})` },
      svg('title', {}, `${name}${words[kind] ? `: ${words[kind]}` : ''}`),
      svg('rect', { class: 'box', width: box.width, height: box.height, rx: 7 }),
      title,
      rate,
      track,
      fill,
    );
    const numbers = el('span');
    const fed = el('span', { class: 'fed' });
    const row_ = el('li', {}, el('b', {}, name), numbers, fed);
    all.stages.set(name, { group, rate, fill, row: row_, numbers, fed });
    return group;
  });
  const order = [...all.stages].sort(([a], [b]) => cells.get(a).column - cells.get(b).column);
  $('stages').replaceChildren(...order.map(([, { row }]) => row));
  $('graph').replaceChildren(
    svg(
      'svg',
      {
        class: 'graph',
        viewBox: `0 0 ${whole[0]} ${whole[1]}`,
        width: whole[0],
        height: whole[1],
        'aria-hidden': 'true',
      },
      lines,
      boxes,
    ),
  );
  return all;
}

const short = (name) => (name.length > 18 ? `${name.slice(0, 17)}…` : name);

/**
 * Where the stages of a graph stand: a column for each step from the sources on, and in a column in the order of what feeds them.
 *
 * @returns for each stage, by name, its column and its row; and how many columns and rows there are
 */
function layout(stages, edges) {
  const into = new Map(stages.map(({ name }) => [name, []]));
  for (const { from, to } of edges) into.get(to)?.push(from);
  const columns = new Map();
  const column = (name, seen = new Set()) => {
    if (columns.has(name)) return columns.get(name);
    if (seen.has(name)) return 0;
    seen.add(name);
    const before = (into.get(name) ?? []).map((one) => column(one, seen) + 1);
    columns.set(name, Math.max(0, ...before));
    return columns.get(name);
  };
  for (const { name } of stages) column(name);

  const cells = new Map();
  const width = Math.max(0, ...columns.values()) + 1;
  let height = 1;
  for (let at = 0; at < width; at++) {
    const inColumn = stages.filter(({ name }) => columns.get(name) === at).map(({ name }) => name);
    const desiredRow = (name) => {
      const rows = into.get(name).map((one) => cells.get(one)?.row ?? 0);
      return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length;
    };
    const sorted = inColumn
      .map((name, i) => ({ name, desiredRow: desiredRow(name), i }))
      .sort((a, b) => a.desiredRow - b.desiredRow || a.i - b.i);
    let next = 0;
    for (const { name, desiredRow: row } of sorted) {
      const alone = sorted.length === 1 || Number.isInteger(row);
      const taken = Math.max(next, alone && at > 0 ? Math.round(row) : next);
      cells.set(name, { column: at, row: taken });
      next = taken + 1;
    }
    height = Math.max(height, next);
  }
  // A stage alone in its column stands in the middle of those that it feeds, so that no corner of the drawing is empty.
  for (let at = width - 2; at >= 0; at--) {
    const inColumn = stages.filter(({ name }) => columns.get(name) === at);
    const fed = edges.filter(({ from }) => from === inColumn[0]?.name).map(({ to }) => cells.get(to).row);
    if (inColumn.length !== 1 || fed.length === 0) continue;
    cells.get(inColumn[0].name).row = (Math.min(...fed) + Math.max(...fed)) / 2;
  }
  return { cells, width, height };
}

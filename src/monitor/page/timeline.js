import { color, networkColors } from './colors.js';
import { $, mebibytes, svg, write } from './dom.js';

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
            {
              cx: x(one.at),
              cy: y,
              r: one.pinned ? 6 : 4.5,
              fill: color(networkColors(name)),
            },
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

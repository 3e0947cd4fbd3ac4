import { $, count, mebibytes, rows, svg } from './dom.js';

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

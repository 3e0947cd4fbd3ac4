import { compare } from './curves.js';
import { $, count, el } from './dom.js';
import { take } from './events.js';

const compared = new Set();

/** Lists the runs beside this one; each can be drawn over its curves. */
export function drawRuns(runs, redraw) {
  $('runs').hidden = !runs || runs.length < 2;
  if (!runs) return;
  const focused = $('runs').querySelector('input:focus')?.dataset.run;
  const rows = runs.map(({ name, own, pipeline, seed, state, epoch, epochs, update }) => {
    const tick = el('input', {
      type: 'checkbox',
      'data-run': name,
      'aria-label': `Compare with ${name}`,
      checked: compared.has(name),
    });
    tick.onchange = () => toggle(name, tick, redraw);
    const progress = epoch === null ? '–' : `${count(epoch)}${epochs === null ? '' : `/${count(epochs)}`}`;
    return el(
      'tr',
      own ? { 'aria-current': 'true' } : {},
      el('td', {}, own ? 'this run' : tick),
      ...[name, pipeline || '–', seed === null ? '–' : String(seed), state].map((text) => el('td', {}, text)),
      ...[progress, count(update)].map((text) => el('td', {}, text)),
    );
  });
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

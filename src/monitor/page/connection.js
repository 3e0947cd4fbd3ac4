import { $, write } from './dom.js';

let may = false;

/**
 * Takes the token out of the address, so that it is in no history and no bookmark, and turns it into a cookie that only this server
 * gets. Whoever comes without may look, and not act.
 */
export async function begin() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) {
    history.replaceState(null, '', location.pathname);
    await fetch('/api/session', { method: 'POST', headers: { 'X-Weir-Token': token } });
  }
  const answer = await fetch('/api/may');
  may = answer.ok && (await answer.json()).act === true;
  return answer.ok;
}

/** The buttons: what they do, and when they can. */
export function buttons(say) {
  const ask = async (action, done) => {
    try {
      const answer = await fetch(`/api/do/${action}`, { method: 'POST' });
      say(answer.ok ? done : (await answer.json()).message);
    } catch {
      say('the run cannot be reached');
    }
  };
  $('pause').onclick = () =>
    $('pause').dataset.does === 'resume'
      ? ask('resume', 'going on')
      : ask('pause', 'it will be held at the next barrier');
  $('snapshot').onclick = () => ask('snapshot', 'a snapshot will be written at the next barrier');
  $('stop').onclick = () => $('sure').showModal();
  $('sure').onclose = () => {
    if ($('sure').returnValue === 'stop') ask('stop', 'it will stop at the next barrier');
    $('sure').returnValue = '';
  };
}

/** Shows the buttons while the run is under way and may be acted on from here. */
export function buttonsAs(going) {
  $('controls').hidden = !may || going === undefined || going === null;
  const state = going?.state;
  const held = state === 'paused' || state === 'pausing';
  $('pause').dataset.does = held ? 'resume' : 'pause';
  write($('pause'), held ? 'Resume' : 'Pause');
  for (const id of ['pause', 'snapshot', 'stop']) $(id).disabled = state === 'stopping';
}

/**
 * The newest event of each name, kept up to date: `view.log.curves` by key, `view.pulse`, `view.status` and so on.
 *
 * `changed` is called with the names of what is new, at most once a frame, and not while nobody looks at the page.
 */
export function listen(changed) {
  /** @type {any} */
  const view = { log: { curves: new Map(), samples: [], sampled: {}, read: 0, size: 0 } };
  const fresh = new Set();
  let asked = false;
  const flush = () => {
    asked = false;
    const names = new Set(fresh);
    fresh.clear();
    changed(view, names);
  };
  const soon = (name) => {
    fresh.add(name);
    if (asked || document.hidden) return;
    asked = true;
    requestAnimationFrame(flush);
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && fresh.size > 0 && !asked) flush();
  });

  const events = new EventSource('/api/events');
  events.onopen = () => {
    view.lost = false;
    soon('link');
  };
  events.onerror = () => {
    view.lost = true;
    soon('link');
  };
  for (const name of ['about', 'status', 'snapshots', 'runs', 'going', 'pulse', 'pictures']) {
    events.addEventListener(name, ({ data }) => {
      view[name] = JSON.parse(data);
      soon(name);
    });
  }
  events.addEventListener('begin', () => {
    for (const name of ['going', 'pulse', 'pictures']) delete view[name];
    soon('going');
  });
  events.addEventListener('log', ({ data }) => {
    view.log = { curves: new Map(), samples: [], sampled: {} };
    take(view.log, JSON.parse(data));
    soon('log');
  });
  events.addEventListener('points', ({ data }) => {
    take(view.log, JSON.parse(data));
    soon('log');
  });
}

/**
 * Takes in what is new of a log: of each curve the buckets from `from` on, of the samples those from `samplesFrom` on.
 *
 * @param {any} log
 */
export function take(log, { curves, samples, sampled, samplesFrom = 0, read, size, omitted }) {
  for (const { from, curve, ...about } of curves) {
    const key = `${about.network}\n${about.stream}\n${about.field}`;
    const known = log.curves.get(key);
    const buckets = from === 0 || known === undefined ? [] : known.buckets.slice(0, from);
    for (const bucket of curve.buckets) buckets.push(bucket.map(Number));
    log.curves.set(key, { ...about, width: curve.width, buckets });
  }
  log.samples.length = Math.min(log.samples.length, samplesFrom);
  log.samples.push(...samples);
  Object.assign(log, { sampled, read, size, omitted });
  return log;
}

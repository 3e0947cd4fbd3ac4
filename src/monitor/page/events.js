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

/**
 * What the server tells, kept up to date: `told.log.curves` by key, `told.pulse`, `told.status` and so on.
 *
 * `changed` is called with the names of what is new, at most once a frame, and not while nobody looks at the page.
 */
export function listen(changed) {
  /** @type {any} */
  const told = { log: { curves: new Map(), attacks: [], read: 0, size: 0 } };
  const fresh = new Set();
  let asked = false;
  const flush = () => {
    asked = false;
    const names = new Set(fresh);
    fresh.clear();
    changed(told, names);
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
    told.lost = false;
    soon('link');
  };
  events.onerror = () => {
    told.lost = true;
    soon('link');
  };
  for (const name of ['about', 'status', 'snapshots', 'runs', 'going', 'pulse', 'pictures']) {
    events.addEventListener(name, ({ data }) => {
      told[name] = JSON.parse(data);
      soon(name);
    });
  }
  events.addEventListener('begin', () => {
    for (const name of ['going', 'pulse', 'pictures']) delete told[name];
    soon('going');
  });
  events.addEventListener('log', ({ data }) => {
    told.log = { curves: new Map(), attacks: [] };
    take(told.log, JSON.parse(data));
    soon('log');
  });
  events.addEventListener('points', ({ data }) => {
    take(told.log, JSON.parse(data));
    soon('log');
  });
}

/**
 * Takes in what is new of a log: of each curve the buckets from `from` on, of the attacked samples those from `attacksFrom` on.
 *
 * @param {any} log
 */
export function take(log, { curves, attacks, attacksFrom = 0, read, size, omitted }) {
  for (const { network, stream, field, from, curve } of curves) {
    const key = `${network}\n${stream}\n${field}`;
    const known = log.curves.get(key);
    const buckets = from === 0 || known === undefined ? [] : known.buckets.slice(0, from);
    for (const bucket of curve.buckets) buckets.push(bucket.map(Number));
    log.curves.set(key, { network, stream, field, width: curve.width, buckets });
  }
  log.attacks.length = Math.min(log.attacks.length, attacksFrom);
  log.attacks.push(...attacks);
  Object.assign(log, { read, size, omitted });
  return log;
}

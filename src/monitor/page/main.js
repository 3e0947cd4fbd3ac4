import { begin, buttons, buttonsAs, listen } from './connection.js';
import { comparedRuns, drawCurves } from './curves.js';
import { $, count, duration, rows, write } from './dom.js';
import { drawGraph } from './graph.js';
import { drawMemory, drawPictures, drawRuns, drawTimeline } from './panels.js';
import { drawSamples } from './samples.js';

/** @type {any} */
let view = { log: { curves: new Map(), samples: [], sampled: {} } };
/** @type {any} */
let before = {};
let saved;

/** Says something to who listens with a screen reader, and shows it. */
function say(text) {
  write($('said'), text);
  write($('note'), text);
}

function drawHead() {
  const { about, status, going, pulse, lost } = view;
  if (about) {
    write($('name'), about.name);
    document.title = `${about.name} · Weir`;
  }
  const files = status?.state ?? 'unknown';
  const over = ['done', 'stopped', 'failed'].includes(going?.state);
  const state = lost && !over ? 'lost' : going ? going.state : files;
  $('state').dataset.state = state;
  write($('state'), { lost: 'connection lost', unknown: 'connecting', elsewhere: 'running elsewhere' }[state] ?? state);
  buttonsAs(lost || over ? undefined : going);
  write($('where'), whereOf(status, pulse));
  const share =
    status?.update && status?.updates ? Math.min(1, status.update / status.updates) : files === 'done' ? 1 : 0;
  $('progress').setAttribute('aria-valuenow', String(Math.round(100 * share)));
  $('progress').firstElementChild.style.width = `${(100 * share).toFixed(1)}%`;
  const network = status?.network?.name;
  if (before.state !== undefined && before.state !== 'unknown' && before.state !== state)
    say(state === 'lost' ? 'The run cannot be reached; trying again.' : `The run is ${$('state').textContent}.`);
  else if (going?.note && going.note !== before.note) say(going.note);
  else if (network && before.network && network !== before.network) say(`Now training ${network}.`);
  else if (status?.failure?.message && !before.failure) say(status.failure.message);
  before = { state, note: going?.note, network, failure: status?.failure?.message };
}

function whereOf(status, pulse) {
  if (!status) return '';
  const { network, phase, epoch, epochs, update, updates, measured, secondsLeft, state } = status;
  const of = (value, whole) => `${count(value)}${whole ? `/${count(whole)}` : ''}`;
  return [
    network && `${network.name}${network.of > 1 ? ` (${network.index} of ${network.of})` : ''}`,
    measured ? `${measured.name} ${of(measured.done, measured.of)}` : state === 'done' ? null : phase,
    epoch !== null && `epoch ${of(epoch, epochs)}`,
    update !== null && `update ${of(update, updates)}`,
    pulse?.samples > 0 && `${count(pulse.samples)} samples/s`,
    secondsLeft !== null && state === 'running' && `${duration(secondsLeft)} left`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function drawAbout() {
  const { about, status } = view;
  if (!about) return;
  rows($('about-rows'), [
    ['Pipeline', about.setting ? `${about.pipeline}, ${about.setting}` : about.pipeline],
    ['Folder', about.shown],
    ['Seed', String(about.seed)],
    ...about.forks.map(({ run, at, what }, i) => [
      i === 0 ? 'Forked from' : 'That from',
      `${run} at update ${count(at)}; from there on ${what}`,
    ]),
    ...about.changes.map(({ at, what }) => ['Changed', `${new Date(at).toLocaleDateString()}: ${what}`]),
    ['Networks', about.networks.map(({ name }) => name).join(', ') || '–'],
    ['Begun', new Date(about.createdAt).toLocaleString()],
    ['Weir', about.weir],
  ]);
  $('config').textContent = JSON.stringify(about.config, null, 2);
  $('report').hidden = status?.report !== true;
}

/** The forks that this run descends from, and those of the runs that are drawn over it. */
function forkMarks() {
  const own = (view.about?.forks ?? []).map(({ at }) => ({ at, label: 'fork' }));
  const others = (view.runs ?? [])
    .filter(({ name, fork }) => fork && comparedRuns().includes(name))
    .map(({ name, fork }) => ({ at: fork.at, label: `fork ${name}` }));
  return [...own, ...others.filter(({ at }) => own.every((one) => one.at !== at))];
}

function drawLog() {
  drawCurves(view.log, forkMarks(), view.about);
  drawSamples(view.log, $('network').value);
}

const drawGraphNow = () => drawGraph(view.pulse);

function drawSnapshots() {
  drawTimeline(view.snapshots);
  const newest = view.snapshots?.at(-1)?.at;
  if (saved !== undefined && newest !== undefined && newest !== saved) say('A snapshot was written.');
  saved = newest ?? 0;
}

/** What is drawn anew when something of this name has come. */
const draw = {
  about: [drawAbout, drawHead],
  status: [drawAbout, drawGraphNow, drawHead],
  going: [drawGraphNow, drawHead],
  pulse: [drawGraphNow, () => drawMemory(view.pulse), drawHead],
  log: [drawLog],
  snapshots: [drawSnapshots],
  pictures: [() => drawPictures(view.pictures)],
  runs: [() => drawRuns(view.runs, drawLog)],
  link: [drawHead],
};

const redraw = (names) => {
  for (const work of new Set([...names].flatMap((name) => draw[name]))) work();
};

$('network').addEventListener('change', () => {
  $('network').dataset.chosen = 'yes';
  drawLog();
});
$('log').addEventListener('change', drawLog);
$('outliers').addEventListener('change', drawLog);
$('numbers').addEventListener('toggle', drawLog);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraw(new Set(['log', 'snapshots'])));

buttons(say);
if (await begin().catch(() => false)) {
  listen((now, names) => {
    view = now;
    redraw(names);
  });
} else {
  $('state').dataset.state = 'lost';
  write($('state'), 'no access');
  say('This address needs the token: open the one that Weir printed, with all that follows #.');
}

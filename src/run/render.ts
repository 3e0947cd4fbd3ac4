import pc from 'picocolors';
import { count, duration, NONE, number, percent } from '../plot/format.js';
import type { ProgressView } from './view.js';
import { columns, cut } from './width.js';

/** How a view is drawn: columns at hand, and whether colors may be used. */
export interface Drawing {
  readonly width: number;
  readonly color: boolean;
}

/** One fact of a line; `paint` keeps its width. */
interface Part {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const BETWEEN = ' · ';
const BAR = 24; // columns at most

/**
 * The view as lines that fit the width, seven at most.
 *
 * On a narrow terminal a line loses its last facts whole; only a first fact that is too long is cut, with `…`.
 */
export function render(view: ProgressView, { width, color }: Drawing): string[] {
  const c = pc.createColors(color);
  const { network, snapshot, bottleneck, ranks, rate } = view;
  const sigmas = Object.entries(view.sigma).map(([layer, value], i) => ({
    text: `${i === 0 ? 'σ ' : ''}${layer} ${number(value)}`,
  }));
  const lines: (readonly Part[])[] = [
    [
      { text: `${view.pipeline}: ${network.name}`, paint: c.bold },
      { text: phase(view), paint: c.cyan },
      ...(network.of > 1 ? [{ text: `network ${network.index} of ${network.of}`, paint: c.dim }] : []),
    ],
    progress(view, width, c),
    [{ text: updates(view) }, ...(rate ? [{ text: `${count(rate.value)} ${rate.unit}` }] : [])],
    [
      view.loss !== null && !Number.isFinite(view.loss)
        ? { text: `loss ${view.loss}`, paint: c.red }
        : { text: `loss ${number(view.loss)}` },
      { text: `test accuracy ${percent(view.testAccuracy)}` },
    ],
    sigmas,
    attack(view),
    [
      ...(bottleneck === null ? [] : [{ text: `bottleneck: ${bottleneck}`, paint: c.yellow }]),
      ...(ranks === null ? [] : [{ text: ranks, paint: c.dim }]),
      ...(snapshot
        ? [{ text: `snapshot at update ${count(snapshot.update)}, ${duration(snapshot.secondsAgo)} ago`, paint: c.dim }]
        : []),
    ],
  ];
  return lines.filter((parts) => parts.length > 0).map((parts) => fitted(parts, width));
}

/** The view in one line, for logs: what a reader would miss most comes first. */
export function renderLine(view: ProgressView): string {
  const { network, attacked } = view;
  const parts = [
    `${view.pipeline}: ${network.name}${network.of > 1 ? ` (${network.index} of ${network.of})` : ''}`,
    phase(view),
    ...(attacked
      ? [`${count(attacked.done)}/${count(attacked.of)} samples`, `mean Δx ${number(attacked.meanDistance)}`]
      : trains(view)
        ? [epochs(view), updates(view)]
        : []),
    ...(view.loss === null || attacked ? [] : [`loss ${Number.isFinite(view.loss) ? number(view.loss) : view.loss}`]),
    ...(view.testAccuracy === null ? [] : [`test accuracy ${percent(view.testAccuracy)}`]),
    ...sigmaRange(view),
    ...(view.rate ? [`${count(view.rate.value)} ${view.rate.unit}`] : []),
    ...(view.secondsLeft === null ? [] : [`${duration(view.secondsLeft)} left`]),
    ...(view.bottleneck === null ? [] : [`bottleneck: ${view.bottleneck}`]),
    ...(view.ranks === null ? [] : [view.ranks]),
  ];
  return parts.join(BETWEEN);
}

/** σ of each layer; of a deep network the largest, for a line is a line. */
function sigmaRange({ sigma }: ProgressView): string[] {
  const entries = Object.entries(sigma);
  if (entries.length === 0) return [];
  if (entries.length <= 3) return [`σ ${entries.map(([layer, value]) => `${layer} ${number(value)}`).join(', ')}`];
  const [layer, value] = entries.reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  return [`largest σ ${layer} ${number(value)}`];
}

/** A pipeline without epochs takes up networks that are trained already. */
const trains = ({ epochs }: ProgressView): boolean => epochs > 0;

const phase = (view: ProgressView): string => (view.phase === 'training' && !trains(view) ? 'measuring' : view.phase);

const epochs = ({ epoch, epochs }: ProgressView): string =>
  `epoch ${epoch === null ? NONE : count(epoch)}/${count(epochs)}`;

/** How many there will be is known when the first epoch is over. */
function updates({ update, updates }: ProgressView): string {
  return updates === 0 ? `update ${count(update)}` : `update ${count(update)}/${count(updates)}`;
}

function progress(view: ProgressView, width: number, c: ReturnType<typeof pc.createColors>): Part[] {
  const { attacked } = view;
  const of = attacked?.of ?? view.updates;
  const share = of > 0 ? Math.max(0, Math.min(1, (attacked?.done ?? view.update) / of)) : 0;
  const left = view.secondsLeft === null ? [] : [{ text: `${duration(view.secondsLeft)} left` }];
  const epoch = epochs(view);
  const done = `${Math.floor(100 * share)} %`; // 100 only when it is done
  const room = Math.min(BAR, width - columns([epoch, done, ...left.map(({ text }) => text)].join(BETWEEN)) - 1);
  if (room < 8) return [{ text: epoch }, { text: done }, ...left];
  const full = Math.floor(share * room);
  const paint = (text: string) => c.green(text.slice(0, full)) + c.dim(text.slice(full, room)) + text.slice(room);
  return [{ text: epoch }, { text: `${'━'.repeat(full)}${'─'.repeat(room - full)} ${done}`, paint }, ...left];
}

function attack({ attacked }: ProgressView): Part[] {
  if (!attacked) return [];
  const { done, of, meanDistance } = attacked;
  return [
    { text: `attacked ${count(done)}/${count(of)}` },
    { text: `mean Δx ${meanDistance === null ? NONE : number(meanDistance)}` },
  ];
}

function fitted(parts: readonly Part[], width: number): string {
  let [line, used] = ['', 0];
  for (const [i, { text, paint = (plain: string) => plain }] of parts.entries()) {
    if (i === 0) {
      const first = cut(text, width);
      [line, used] = [paint(first), columns(first)];
    } else {
      used += columns(BETWEEN) + columns(text);
      if (used > width) break;
      line += BETWEEN + paint(text);
    }
  }
  return line;
}

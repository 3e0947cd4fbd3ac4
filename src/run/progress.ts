import pc from 'picocolors';
import { columns, cut, LiveDisplay, type Screen, visible, visibleButColors } from '../flow/terminal.js';
import { count, duration, NONE, number, percent } from '../plot/table.js';

/** A headline as a stream last logged it: a number, or several by name such as σ of each layer. */
export interface Headline {
  /** 'test accuracy' */
  readonly label: string;
  readonly unit?: string;
  readonly value: number | Readonly<Record<string, number>> | null;
}

/** The progress of a run as plain data: all that the terminal shows. What is not known yet is null. */
export interface ProgressView {
  readonly pipeline: string;
  readonly network: {
    readonly name: string;
    /** 1-based. */
    readonly index: number;
    readonly of: number;
  };
  /** 'training', or the name of what is measured. */
  readonly phase: string;
  /** 1-based; 0 before the first; null where a resumed run has not logged one yet. */
  readonly epoch: number | null;
  readonly epochs: number;
  readonly update: number;
  readonly updates: number;
  readonly headlines: readonly Headline[];
  /** As 'samples/s' or 'updates/s'. */
  readonly rate: { readonly value: number; readonly unit: string } | null;
  readonly secondsLeft: number | null;
  /** The stage that the others wait for. */
  readonly bottleneck: string | null;
  /** How ranks wait for each other, in words; null where there is one process alone. */
  readonly ranks: string | null;
  /** What is measured sample by sample: how many are done, and the mean of its headline. */
  readonly measured?: {
    readonly done: number;
    readonly of: number;
    readonly mean: Headline | null;
    /** '3 of 4', where so many records have a finite value that the mean is of. */
    readonly over?: string;
  };
  readonly snapshot?: { readonly update: number; readonly secondsAgo: number };
}

/** How a view is drawn: columns at hand, and whether colors may be used. */
export interface TerminalSize {
  readonly width: number;
  readonly color: boolean;
}

/** One part of a line; `paint` keeps its width. */
interface Part {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const BETWEEN = ' · ';
const BAR = 24; // columns at most

/**
 * The view as lines that fit the width.
 *
 * On a narrow terminal a line loses its last parts whole; only a first part that is too long is cut, with `…`.
 */
export function render(view: ProgressView, { width, color }: TerminalSize): string[] {
  const c = pc.createColors(color);
  const { network, snapshot, bottleneck, ranks, rate } = view;
  const single = view.headlines.filter(({ value }) => typeof value !== 'object' || value === null);
  const lines: (readonly Part[])[] = [
    [
      { text: `${view.pipeline}: ${network.name}`, paint: c.bold },
      { text: phase(view), paint: c.cyan },
      ...(network.of > 1 ? [{ text: `network ${network.index} of ${network.of}`, paint: c.dim }] : []),
    ],
    progress(view, width, c),
    [{ text: updates(view) }, ...(rate ? [{ text: `${count(rate.value)} ${rate.unit}` }] : [])],
    single.map((one) => ({ text: inWords(one), ...(diverged(one) && { paint: c.red }) })),
    ...view.headlines.filter((one) => !single.includes(one)).map(byName),
    measured(view),
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

const diverged = ({ value }: Headline): boolean => typeof value === 'number' && !Number.isFinite(value);

/** The mean of what is measured: 'mean distance 1.42 (3 of 4)'; none where nothing stands for its records. */
const meanOf = ({ mean, over }: NonNullable<ProgressView['measured']>): string[] =>
  mean ? [`${inWords(mean)}${over ? ` (${over})` : ''}`] : [];

/** A headline of one number: 'test accuracy 97.1 %'. */
function inWords({ label, unit, value }: Headline): string {
  if (value === null || typeof value === 'object') return `${label} ${NONE}`;
  if (!Number.isFinite(value)) return `${label} ${value}`;
  return `${label} ${unit === 'fraction' ? percent(value) : number(value)}`;
}

/** A headline of several numbers, one part each. */
const byName = ({ label, value }: Headline): Part[] =>
  Object.entries(value ?? {}).map(([name, one], i) => ({
    text: `${i === 0 ? `${label} ` : ''}${name} ${number(one)}`,
  }));

/** The view in one line, for logs: what a reader would miss most comes first. */
export function renderLine(view: ProgressView): string {
  const { network, measured } = view;
  const parts = [
    `${view.pipeline}: ${network.name}${network.of > 1 ? ` (${network.index} of ${network.of})` : ''}`,
    phase(view),
    ...(measured
      ? [`${count(measured.done)}/${count(measured.of)} samples`, ...meanOf(measured)]
      : trains(view)
        ? [epochs(view), updates(view)]
        : []),
    ...view.headlines.flatMap((one) => (one.value === null ? [] : [shortly(one)])),
    ...(view.rate ? [`${count(view.rate.value)} ${view.rate.unit}`] : []),
    ...(view.secondsLeft === null ? [] : [`${duration(view.secondsLeft)} left`]),
    ...(view.bottleneck === null ? [] : [`bottleneck: ${view.bottleneck}`]),
    ...(view.ranks === null ? [] : [view.ranks]),
  ];
  return parts.join(BETWEEN);
}

/** Several numbers in one line; of more than three the largest. */
function shortly(headline: Headline): string {
  const { label, value } = headline;
  if (value === null || typeof value === 'number') return inWords(headline);
  const entries = Object.entries(value);
  if (entries.length <= 3) return `${label} ${entries.map(([name, one]) => `${name} ${number(one)}`).join(', ')}`;
  const [name, one] = entries.reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  return `largest ${label} ${name} ${number(one)}`;
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
  const of = view.measured?.of ?? view.updates;
  const share = of > 0 ? Math.max(0, Math.min(1, (view.measured?.done ?? view.update) / of)) : 0;
  const left = view.secondsLeft === null ? [] : [{ text: `${duration(view.secondsLeft)} left` }];
  const epoch = epochs(view);
  const done = `${Math.floor(100 * share)} %`; // 100 only when it is done
  const barWidth = Math.min(BAR, width - columns([epoch, done, ...left.map(({ text }) => text)].join(BETWEEN)) - 1);
  if (barWidth < 8) return [{ text: epoch }, { text: done }, ...left];
  const full = Math.floor(share * barWidth);
  const paint = (text: string) =>
    c.green(text.slice(0, full)) + c.dim(text.slice(full, barWidth)) + text.slice(barWidth);
  return [{ text: epoch }, { text: `${'━'.repeat(full)}${'─'.repeat(barWidth - full)} ${done}`, paint }, ...left];
}

function measured({ phase, measured }: ProgressView): Part[] {
  if (!measured) return [];
  const { done, of } = measured;
  return [{ text: `${phase} ${count(done)}/${count(of)} samples` }, ...meanOf(measured).map((text) => ({ text }))];
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

export type { Screen };

export interface TerminalOptions {
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Shows how a run goes: in place on a terminal, as plain lines anywhere else. */
export interface Terminal {
  /** Draws the view, as often as the caller likes; without a terminal most calls write nothing. */
  show(view: ProgressView): void;
  /** Writes a line that stays, above the view. */
  note(line: string): void;
  /** Leaves the last view standing and the cursor below it; on a log, writes the last view if it was not. */
  end(): void;
}

const PAUSE = 5_000; // milliseconds between plain lines, at least
const SILENCE = 60_000; // and at most, within a long epoch

/**
 * In place where `screen` is a terminal that can move its cursor, else plain lines: at the end of an epoch, but never
 * more often than every five seconds, and at once when the next network begins.
 *
 * Colors: none with `NO_COLOR` or without a terminal, unless `FORCE_COLOR` says otherwise.
 *
 * @example const terminal = terminalFor(process.stderr); views$.subscribe({ next: terminal.show, complete: terminal.end })
 */
export function terminalFor(screen: Screen, { now = Date.now, env = process.env }: TerminalOptions = {}): Terminal {
  const moves = screen.isTTY === true && env.TERM !== 'dumb';
  return moves ? liveTerminal(screen, usesColor(env)) : plainTerminal(screen, now);
}

/** Whether a terminal is to be written to in colors. */
export function usesColor(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR) return false; // no-color.org: present and not empty
  return env.FORCE_COLOR !== '0';
}

function liveTerminal(screen: Screen, color: boolean): Terminal {
  const display = new LiveDisplay(screen);
  let last: ProgressView | null = null;
  const draw = (above: string, view: ProgressView) =>
    display.draw(render(view, { width: display.width, color }).map(visibleButColors), above);

  return {
    show(view) {
      last = view;
      draw('', view);
    },
    note(line) {
      if (last) draw(`${visible(line)}\x1b[K\n`, last);
      else screen.write(`${visible(line)}\n`);
    },
    end() {
      last = null;
      display.end();
    },
  };
}

function plainTerminal(screen: Screen, now: () => number): Terminal {
  let written: { readonly view: ProgressView; readonly at: number } | null = null;
  let last: ProgressView | null = null;
  const write = (view: ProgressView) => {
    screen.write(`${visible(renderLine(view))}\n`);
    written = { view, at: now() };
  };
  return {
    show(view) {
      last = view;
      if (!written) return write(view);
      const { view: before, at } = written;
      const since = now() - at;
      const step =
        before.epoch !== view.epoch || before.phase !== view.phase || before.measured?.done !== view.measured?.done;
      // A phase may last a millisecond, and come again every epoch; a network does not.
      if (before.network.name !== view.network.name || (step && since >= PAUSE) || since >= SILENCE) write(view);
    },
    note(line) {
      screen.write(`${visible(line)}\n`);
    },
    end() {
      if (last && last !== written?.view) write(last);
      last = null;
    },
  };
}

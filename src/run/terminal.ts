import { visible, visibleButColors } from '../flow/core-terminal.js';
import { InPlace, type Screen } from './in-place.js';
import { render, renderLine } from './render.js';
import type { ProgressView } from './view.js';

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
  return moves ? inPlace(screen, usesColor(env)) : asLines(screen, now);
}

/** Whether a terminal is to be written to in colors. */
export function usesColor(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR) return false; // no-color.org: present and not empty
  return env.FORCE_COLOR !== '0';
}

function inPlace(screen: Screen, color: boolean): Terminal {
  const place = new InPlace(screen);
  let last: ProgressView | null = null;
  const draw = (above: string, view: ProgressView) =>
    place.draw(render(view, { width: place.width, color }).map(visibleButColors), above);

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
      place.end();
    },
  };
}

function asLines(screen: Screen, now: () => number): Terminal {
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
      const step = before.epoch !== view.epoch || before.phase !== view.phase || attackMoved(before, view);
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

function attackMoved(before: ProgressView, view: ProgressView): boolean {
  return before.attacked?.done !== view.attacked?.done;
}

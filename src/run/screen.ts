import { columns } from '../flow/text-table.js';

/** What is written to: standard error of a command, or a list in a test. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/**
 * Draws lines over the ones that it drew before. Only for a screen that can move its cursor.
 *
 * By hand, for `log-update` 8 (seven packages) wants Node 22, keeps the last lines where a window is too low for all, not the head of a
 * table, does not count rows anew when a narrower window has folded what it drew, and hides the cursor by a signal handler of its own.
 */
export class LiveDisplay {
  private drawn: readonly string[] = [];

  constructor(private readonly screen: Screen) {}

  /** Columns that a line may take. */
  get width(): number {
    return Math.max(1, (this.screen.columns || 80) - 1);
  }

  /** Lines that may be drawn: one scrolled away cannot be gone back to. */
  get height(): number {
    return Math.max(1, (this.screen.rows || 24) - 1);
  }

  /** The lines, as many as there is room for; `above` stays, over them. */
  draw(lines: readonly string[], above = ''): void {
    const shown = lines.slice(0, this.height);
    // One write, each line wiped behind its end: nothing flickers.
    this.screen.write(`${this.back()}${above}${shown.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    this.drawn = shown;
  }

  /** Leaves what is drawn standing. */
  end(): void {
    this.drawn = [];
  }

  /** Up to the first line of what was drawn, however a narrower window has folded it since. */
  private back(): string {
    const width = Math.max(1, this.screen.columns || 80);
    const rows = this.drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / width)), 0);
    return rows > 0 ? `\x1b[${rows}A\r` : '';
  }
}

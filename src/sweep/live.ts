import { InPlace } from '../run/in-place.js';
import { type Screen, usesColor } from '../run/terminal.js';
import type { Entry } from './entry.js';
import type { Job } from './job.js';
import { rowsOf } from './rows.js';
import { summary, sweepTable } from './sweep-table.js';

const silence = 60_000; // milliseconds between two plain lines where nothing changes

/** Shows where the jobs of a sweep stand: a table in place on a terminal, elsewhere a line whenever one ends. */
export class LiveSweep {
  private readonly place: InPlace | undefined;
  private drawing: Promise<void> | undefined;
  private said = { line: '', at: 0 };
  private closed = false;

  constructor(
    private readonly title: string,
    private readonly folder: string,
    private readonly jobs: readonly Job[],
    private readonly screen: Screen = process.stderr,
  ) {
    this.place = screen.isTTY === true && process.env.TERM !== 'dumb' ? new InPlace(screen) : undefined;
  }

  readonly watch = (entries: ReadonlyMap<string, Entry>): void => {
    if (this.place === undefined) this.say(summary(this.title, entries.values()));
    else this.drawing ??= this.draw(entries, this.place).finally(() => (this.drawing = undefined));
  };

  readonly note = (line: string): void => {
    if (this.place === undefined) this.screen.write(`${line}\n`);
    else this.place.draw([], `${line}\x1b[K\n`);
  };

  /** Leaves the last table standing. */
  async close(): Promise<void> {
    await this.drawing;
    this.closed = true;
    this.place?.end();
  }

  private async draw(entries: ReadonlyMap<string, Entry>, place: InPlace): Promise<void> {
    const rows = await rowsOf(this.folder, this.jobs, entries, ({ state }) => state === 'running');
    if (this.closed) return;
    const color = usesColor(process.env);
    const { width } = place;
    place.draw([
      summary(this.title, entries.values()),
      ...sweepTable(rows, { width, most: Math.max(1, place.height - 2), color }),
    ]);
  }

  private say(line: string): void {
    const now = Date.now();
    if (line === this.said.line && now - this.said.at < silence) return;
    this.said = { line, at: now };
    this.screen.write(`${line}\n`);
  }
}

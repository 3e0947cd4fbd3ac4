import type { Group } from '../measure/networks/report-groups.js';
import { type Look, look } from './colors.js';

/** One drawing: a complete SVG element in units of CSS pixels. */
export interface Panel {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  /** Said above the panel, which then begins a row. */
  readonly heading?: string;
}

/** Panels that belong together, with what to say of them. */
export interface Figure {
  /** Also its file name; carries the paper's number where the paper has this figure. */
  readonly id: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Panels side by side where there is room. */
  readonly columns: number;
  /** Colors that want telling; none where the panels name them. */
  readonly legend: readonly LegendEntry[];
  /** The scale that all panels share: a bar of colors. */
  readonly key?: Panel;
  /** What is drawn, and what the marks mean. */
  readonly reading: string;
  /** What the paper showed here. */
  readonly paper: string | null;
  /** What came out here, in a sentence or two, from the data. */
  readonly outcome: string;
}

export interface LegendEntry {
  readonly label: string;
  readonly look: Look;
  readonly mark: 'line' | 'dot' | 'square' | 'frame' | 'ring' | 'cross';
}

/** Two panels and the gap fill a page; see the style sheet of the page. */
export const WIDTH = { full: 944, half: 460, third: 298, quarter: 218, gap: 24 };

/** Width of one of `columns` panels that fill a page side by side. */
export function widthOf(columns: number): number {
  return [WIDTH.full, WIDTH.full, WIDTH.half, WIDTH.third][columns] ?? WIDTH.quarter;
}

export const FONT = 'Inter, system-ui, sans-serif';

/** The legend of the regularizers of some groups, each once. */
export function regularizers(groups: readonly Group[]): LegendEntry[] {
  const names = [...new Set(groups.map(({ regularizer }) => regularizer))];
  return names.map((name) => ({ label: name, look: look(name), mark: 'line' }));
}

/** How many networks stand behind each mean: '10 seeds', 'one seed', '3 to 10 seeds'. */
export function seedsPhrase(groups: readonly Group[]): string {
  const counts = groups.map(({ networks }) => networks.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return 'one seed';
  return least === most ? `${most} seeds` : `${least} to ${most} seeds`;
}

/** One drawing: a complete SVG element in units of CSS pixels. */
export interface Panel {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** Panels that belong together, with what to say of them. */
export interface Figure {
  /** Also its file name. */
  readonly id: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Panels side by side where there is room. */
  readonly columns: number;
  /** Regularisers whose colours want telling; none where the panels name them. */
  readonly legend: readonly { readonly label: string; readonly regulariser: string }[];
  /** What is drawn, and what the marks mean. */
  readonly reading: string;
  readonly paper: string | null;
  /** What came out here, in a sentence or two. */
  readonly outcome: string;
}

/** Two panels and the gap fill a page; see the style sheet of the page. */
export const WIDTH = { half: 460, third: 298, gap: 24 };

export const FONT = 'Inter, system-ui, sans-serif';

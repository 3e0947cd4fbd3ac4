import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escaped } from './escaped.js';
import { FONT, type Panel } from './figures-figure.js';

/** The marks, for those who draw. */
export { Plot };

/** What a panel is told of itself. */
interface PanelOptions extends Plot.PlotOptions {
  readonly width: number;
  readonly height: number;
  /** What a reader who cannot see the drawing is told. */
  readonly ariaLabel: string;
}

/** Draws with Observable Plot, on a document of linkedom's: the one door to both. */
export function panel({ ariaLabel, ...options }: PanelOptions): Panel {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({
    style: { fontFamily: FONT, fontSize: '12px' },
    ...options,
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
  });
  // The label is put in here, for linkedom does not escape attributes as XML asks.
  const svg = (drawn as unknown as { readonly outerHTML: string }).outerHTML
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace('<svg ', `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escaped(ariaLabel)}" `)
    .replace(/<(?!svg)[^>]+>/g, rounded);
  return { svg, width: options.width, height: options.height };
}

/** Coordinates to a tenth of a pixel: half of a file's bytes would otherwise refine what nobody sees. */
function rounded(tag: string): string {
  return tag.replace(/(?<!opacity=")-?\d+\.\d{2,}/g, (digits) => String(Number(Number(digits).toFixed(1))));
}

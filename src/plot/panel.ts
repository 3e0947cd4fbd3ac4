import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { FONT, type Panel } from './figure.js';
import { escaped } from './table.js';

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

/** Ticks of a log axis: ones, twos and fives over two decades, ones and threes over three, powers of ten beyond. */
export function logTicks(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [];
  const [least, most] = positive.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Infinity,
    0,
  ] as [number, number]);
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const stride = Math.max(1, Math.ceil((to - from) / 6));
  const leading = [[], [1, 2, 5], [1, 2, 5], [1, 3]][to - from] ?? [1]; // d3 leaves fives unlabeled over three decades
  const ticks: number[] = [];
  for (let exponent = from; exponent <= to; exponent += stride) {
    for (const digit of leading) ticks.push(Number(`${digit}e${exponent}`)); // read, not multiplied: 0.3 stays 0.3
  }
  return ticks.filter((tick) => tick >= least * 0.999 && tick <= most * 1.001);
}

/** A tick as a plain number where that is short. */
export function plain(value: number): string {
  return value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(0).replace('e+', 'e')
    : String(value);
}

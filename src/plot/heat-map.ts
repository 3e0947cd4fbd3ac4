import type { Panel } from './figure.js';
import { indexedPng } from './image.js';
import { Plot, panel } from './panel.js';
import { number } from './table.js';

/** The range of values that a color scale spans, over all panels that share it. */
export interface Scale {
  readonly low: number;
  readonly high: number;
}

// Viridis at nine stations: even in lightness, so it reads in gray print and to color-blind readers.
const STATIONS = ['440154', '472d7b', '3b528b', '2c728e', '21918c', '28ae80', '5ec962', 'addc30', 'fde725'];
const LEVELS = 128;
const UNKNOWN = LEVELS; // the palette's last entry: where there is no value
const GRAY = [150, 150, 150];
const SIDE = 120; // pixels that a map is interpolated to, at least its own cells

const PALETTE = Uint8Array.from([...Array.from({ length: LEVELS }, (_, i) => color(i / (LEVELS - 1))), GRAY].flat());

function color(share: number): number[] {
  const at = share * (STATIONS.length - 1);
  const below = Math.min(STATIONS.length - 2, Math.floor(at));
  const channel = (station: number, c: number) => Number.parseInt(STATIONS[station]!.slice(2 * c, 2 * c + 2), 16);
  return [0, 1, 2].map((c) =>
    Math.round(channel(below, c) + (at - below) * (channel(below + 1, c) - channel(below, c))),
  );
}

/**
 * A grid of values (row-major, y ascending) as a data URI whose top row has the greatest y, linear between cells.
 *
 * What is not a finite number is gray, and so is a pixel that one would have a part in.
 */
export function heatMap(values: ArrayLike<number>, columns: number, rows: number, { low, high }: Scale): string {
  const [width, height] = [Math.max(SIDE, columns), Math.max(SIDE, rows)];
  const indices = new Uint8Array(width * height);
  const station = (pixel: number, pixels: number, cells: number): [number, number, number] => {
    const at = Math.min(cells - 1, Math.max(0, ((pixel + 0.5) / pixels) * cells - 0.5)); // a cell's value is at its middle
    const below = Math.floor(at);
    return [below, Math.min(cells - 1, below + 1), at - below];
  };
  for (let y = 0; y < height; y++) {
    const [south, north, up] = station(height - 1 - y, height, rows);
    for (let x = 0; x < width; x++) {
      const [west, east, right] = station(x, width, columns);
      const along = (row: number) =>
        (1 - right) * values[row * columns + west]! + right * values[row * columns + east]!;
      const share = ((1 - up) * along(south) + up * along(north) - low) / (high - low || 1);
      indices[y * width + x] = Number.isFinite(share)
        ? Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1))
        : UNKNOWN;
    }
  }
  return `data:image/png;base64,${indexedPng(width, height, indices, PALETTE).toString('base64')}`;
}

/** The bar that says which color is which value. */
export function colorBar({ low, high }: Scale, label: string): Panel {
  const ramp = Array.from({ length: LEVELS }, (_, i) => i);
  const src = heatMap(ramp, LEVELS, 1, { low: 0, high: LEVELS - 1 });
  const [width, height, side] = [460, 52, 8];
  return panel({
    width,
    height,
    marginLeft: side,
    marginRight: side,
    marginTop: 20,
    marginBottom: 20,
    ariaLabel: `Colors: ${label}, from ${number(low)} (dark) to ${number(high)} (light)`,
    x: { domain: [low, high], label: null, ticks: 6, tickSize: 4 },
    y: { domain: [0, 1], axis: null },
    marks: [
      Plot.image([src], {
        x: () => (low + high) / 2,
        y: () => 0.5,
        src: (s: string) => s,
        preserveAspectRatio: 'none',
        width: width - 2 * side,
        height: height - 40,
      }),
      Plot.text([label], { frameAnchor: 'top-left', dy: -16, text: (t: string) => t, fontWeight: 600 }),
    ],
  });
}

import { classLook } from '../../plot/colors.js';
import type { Panel } from '../../plot/figures-figure.js';
import { heatMap, type Scale } from '../../plot/heat-map.js';
import { Plot, panel } from '../../plot/plot.js';
import { shortened } from '../../plot/text-width.js';
import type { Geometry } from '../networks/record.js';
import { middleOf } from './chosen.js';

/** What a map of one geometry is told. */
export interface MapOptions {
  readonly title: string;
  /** Color of the dot before the title; none without. */
  readonly color?: string;
  readonly width: number;
  /** Class regions, or a quantity [rows · columns] in the colors of a shared scale. */
  readonly layer: 'classes' | { readonly values: ArrayLike<number>; readonly scale: Scale };
  readonly names: (label: number) => string;
  /** Whether regions are named where they lie; for more classes than a legend tells at a glance. */
  readonly named?: boolean;
}

const MARGIN = { left: 26, right: 6, top: 26, bottom: 22 };

/** A plane seen from above: regions of predicted classes or a heat map, the boundary between classes, and the samples. */
export function map(geometry: Geometry, { title, color, width, layer, names, named = false }: MapOptions): Panel {
  const { columns, rows, points } = geometry;
  const frame = { x1: geometry.xMin, x2: geometry.xMax, y1: geometry.yMin, y2: geometry.yMax };
  const inner = width - MARGIN.left - MARGIN.right;
  const shape = Math.min(1.6, Math.max(0.5, (frame.y2 - frame.y1) / (frame.x2 - frame.x1)));
  const height = Math.round(inner * shape) + MARGIN.top + MARGIN.bottom;
  const regions = layer === 'classes';
  const present = classesOf(geometry);
  // Without x and y the samples are taken as the grid that they are; Plot would else look for the nearest of each pixel.
  const grid = { width: columns, height: rows, x: null, y: null, ...frame, thresholds: [0] };
  const middle = { x: () => (frame.x1 + frame.x2) / 2, y: () => (frame.y1 + frame.y2) / 2 };
  const shown = present.length > 1 ? present : [];
  return panel({
    ...{ width, height, marginLeft: MARGIN.left, marginRight: MARGIN.right },
    ...{ marginTop: MARGIN.top, marginBottom: MARGIN.bottom },
    ariaLabel: `${title}: ${regions ? 'regions of predicted classes' : 'heat map'} with the boundary between classes`,
    x: { domain: [frame.x1, frame.x2], label: null, ticks: 5, tickSize: 3 },
    y: { domain: [frame.y1, frame.y2], label: null, ticks: 5, tickSize: 3 },
    marks: [
      ...(regions
        ? present.map((label) =>
            present.length === 1
              ? Plot.rect([0], {
                  x1: frame.x1,
                  x2: frame.x2,
                  y1: frame.y1,
                  y2: frame.y2,
                  fill: classLook(label).light,
                  fillOpacity: 0.28,
                })
              : Plot.contour(field(geometry, label), {
                  ...{ ...grid, value: Plot.identity, fill: classLook(label).light },
                  ...{ fillOpacity: 0.28, stroke: 'none' },
                }),
          )
        : [
            Plot.image([heatMap(layer.values, columns, rows, layer.scale)], {
              ...{ ...middle, src: (s: string) => s, width: inner, height: height - MARGIN.top - MARGIN.bottom },
              preserveAspectRatio: 'none',
            }),
          ]),
      // Two classes share one boundary; of more, each is drawn about its own region.
      ...shown.slice(0, shown.length === 2 ? 1 : shown.length).map((label) =>
        Plot.contour(field(geometry, label), {
          ...{ ...grid, value: Plot.identity, strokeWidth: 1.6 },
          ...(regions ? { stroke: 'currentColor' } : { stroke: '#ffffff', strokeWidth: 1.3 }),
        }),
      ),
      Plot.frame({ stroke: 'currentColor', strokeWidth: 1.6 }), // hides that the contours close along it
      ...points.map(({ label, x, y }) => {
        const { light, symbol } = classLook(label);
        const r = points.length > 12 ? 2.6 : 5;
        return Plot.dot([0], {
          ...{ x: () => x, y: () => y, r, symbol, strokeWidth: points.length > 12 ? 0.8 : 1.5 },
          ...{ fill: light, stroke: regions ? 'white' : '#ffffff' },
        });
      }),
      ...(named ? labels(geometry, names) : []),
      ...(color ? [Plot.dot([0], { frameAnchor: 'top-left', dx: 5, dy: -14, r: 4.5, fill: color })] : []),
      Plot.text([shortened(title, inner - 14, { bold: true })], {
        ...{ frameAnchor: 'top-left', dx: color ? 14 : 0, dy: -20, text: (t: string) => t, fontWeight: 600 },
      }),
    ],
  });
}

/** The classes that the grid has cells of, ascending; cells without a prediction have none. */
export function classesOf({ classes }: Geometry): number[] {
  return [...new Set(Array.from(classes))].filter((label) => label >= 0).sort((a, b) => a - b);
}

/** How far each cell is inside the region of a class, in logits; negative outside, zero at its boundary. */
function field({ classes, margin }: Geometry, label: number): number[] {
  return Array.from(classes, (predicted, i) => {
    const size = Math.abs(margin[i]!);
    return predicted === label ? size : -size;
  });
}

/** The name of each class where it is surest of itself; of regions too small for it, none. */
function labels(geometry: Geometry, names: (label: number) => string): Plot.Markish[] {
  const { columns, rows, classes } = geometry;
  const marks = classesOf(geometry).flatMap((label) => {
    const cells = Array.from(classes).filter((predicted) => predicted === label).length;
    if (cells < 0.03 * columns * rows) return [];
    const inside = deepest(field(geometry, label), columns, rows);
    return [
      {
        text: names(label),
        ...clear(middleOf(geometry, inside.row * columns + inside.column), geometry),
      },
    ];
  });
  return [
    Plot.text(marks, {
      x: 'x',
      y: 'y',
      text: 'text',
      fontWeight: 600,
      fill: 'currentColor',
      stroke: 'white',
      strokeWidth: 3,
    }),
  ];
}

/** A place for a name that no sample's mark covers: a little below, where one would. */
function clear(at: { x: number; y: number }, { points, xMin, xMax, yMin, yMax }: Geometry): { x: number; y: number } {
  const [near, step] = [(xMax - xMin) / 14, (yMax - yMin) / 11];
  const covered = points.some(({ x, y }) => Math.abs(x - at.x) < near && Math.abs(y - at.y) < near);
  return covered ? { x: at.x, y: at.y - step } : at;
}

/** The cell that is furthest from the region's edge and from the frame, in cells. */
function deepest(inside: readonly number[], columns: number, rows: number): { column: number; row: number } {
  const depth = new Int32Array(inside.length);
  const at = (column: number, row: number) =>
    column < 0 || row < 0 || column >= columns || row >= rows ? 0 : depth[row * columns + column]!;
  // City-block distance in two sweeps: from the south-west, then from the north-east.
  for (let i = 0; i < inside.length; i++) {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    depth[i] = inside[i]! < 0 ? 0 : 1 + Math.min(at(column - 1, row), at(column, row - 1));
  }
  let best = 0;
  for (let i = inside.length - 1; i >= 0; i--) {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    if (inside[i]! >= 0) depth[i] = Math.min(depth[i]!, 1 + Math.min(at(column + 1, row), at(column, row + 1)));
    if (depth[i]! > depth[best]!) best = i;
  }
  return { column: best % columns, row: Math.floor(best / columns) };
}

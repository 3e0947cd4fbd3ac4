import { type Panel, shortened } from '../../plot/figure.js';
import { caption, framed, heatMap, image, Plot, panel, type Scale } from '../../plot/panels.js';
import { classStyle } from '../../plot/style.js';
import type { SeedGroup } from '../networks/groups.js';
import type { NetworkReport } from '../networks/record.js';
import type { Geometry } from './record.js';

/** The geometry that stands for a group: that of one network, at the end of its training. */
export interface Mapped {
  readonly group: SeedGroup;
  readonly network: NetworkReport;
  readonly geometry: Geometry;
}

/** The last geometry of one network of each group, of the same seed wherever one seed has them all. */
export function mapped(groups: readonly SeedGroup[], kind: Geometry['kind']): Mapped[] {
  const has = (network: NetworkReport) => last(network, kind) !== undefined;
  const able = groups
    .map((group) => ({ group, networks: group.networks.filter(has) }))
    .filter(({ networks }) => networks.length > 0);
  const shared = able[0]?.networks.find(({ seed }) =>
    able.every(({ networks }) => networks.some((network) => network.seed === seed)),
  );
  return able.map(({ group, networks }) => {
    const network = networks.find(({ seed }) => seed === shared?.seed) ?? networks[0]!;
    return { group, network, geometry: last(network, kind)! };
  });
}

function last(network: NetworkReport, kind: Geometry['kind']): Geometry | undefined {
  const all = (network.geometries ?? []).filter((geometry) => geometry.kind === kind);
  const end = Math.max(...all.map(({ epoch }) => epoch));
  return all.find(({ epoch }) => epoch === end); // the first plane, where there are several
}

/** The seeds of the networks shown, in words. */
export function seedsOf(all: readonly Mapped[]): string {
  const seeds = [...new Set(all.map(({ network }) => network.seed))];
  return seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')} in this order`;
}

/** Where the middle of a cell lies. */
export function middleOf({ columns, rows, xMin, xMax, yMin, yMax }: Geometry, cell: number): { x: number; y: number } {
  return {
    x: xMin + ((cell % columns) + 0.5) * ((xMax - xMin) / columns),
    y: yMin + (Math.floor(cell / columns) + 0.5) * ((yMax - yMin) / rows),
  };
}

/** The distance of each point of a grid to the middle of the nearest cell of another class than its own. */
export function margins(geometry: Geometry): number[] {
  const cells = Array.from(geometry.classes, (label, cell) => ({ label, ...middleOf(geometry, cell) }));
  return geometry.points.flatMap(({ x, y, label }) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (const cell of cells) {
      if (cell.label !== label) nearest = Math.min(nearest, Math.hypot(cell.x - x, cell.y - y));
    }
    return Number.isFinite(nearest) ? [nearest] : [];
  });
}

/** The options of a map of one geometry. */
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

const MARGIN = { left: 28, right: 6, top: 26, bottom: 22 };

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
  const grid = { width: columns, height: rows, x: null, y: null, ...frame, thresholds: [0], clip: 'frame' as const };
  const shown = present.length > 1 ? present : [];
  return panel({
    ...framed(width, height, [MARGIN.top, MARGIN.right, MARGIN.bottom, MARGIN.left]),
    ariaLabel: `${title}: ${regions ? 'regions of predicted classes' : 'heat map'} with the boundary between classes`,
    x: { domain: inside(frame.x1, frame.x2), label: null, ticks: 5, tickSize: 3 },
    y: { domain: inside(frame.y1, frame.y2), label: null, ticks: 5, tickSize: 3 },
    marks: [
      ...(regions
        ? present.map((label) =>
            present.length === 1
              ? Plot.rect([0], { ...frame, fill: classStyle(label).light, fillOpacity: 0.28, clip: 'frame' })
              : Plot.contour(field(geometry, label), {
                  ...grid,
                  value: Plot.identity,
                  fill: classStyle(label).light,
                  fillOpacity: 0.28,
                  stroke: 'none',
                }),
          )
        : [
            image(
              heatMap(layer.values, columns, rows, layer.scale),
              (frame.x1 + frame.x2) / 2,
              (frame.y1 + frame.y2) / 2,
              { width: inner * GROWN, height: (height - MARGIN.top - MARGIN.bottom) * GROWN, clip: 'frame' },
            ),
          ]),
      // Two classes share one boundary; of more, each is drawn about its own region.
      ...shown
        .slice(0, shown.length === 2 ? 1 : shown.length)
        .map((label) =>
          Plot.contour(field(geometry, label), {
            ...grid,
            value: Plot.identity,
            strokeWidth: 1.6,
            ...(regions ? { stroke: 'currentColor' } : { stroke: '#ffffff', strokeWidth: 1.3 }),
          }),
        ),
      Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.6 }),
      ...points.map((point) => {
        const { light, symbol } = classStyle(point.label);
        const size = points.length > 12 ? { r: 2.6, strokeWidth: 0.8 } : { r: 5, strokeWidth: 1.5 };
        return Plot.dot([point], {
          x: 'x',
          y: 'y',
          symbol,
          fill: light,
          stroke: regions ? 'white' : '#ffffff',
          ...size,
        });
      }),
      ...(named ? labels(geometry, names) : []),
      ...(color ? [Plot.dot([0], { frameAnchor: 'top-left', dx: 5, dy: -14, r: 4.5, fill: color })] : []),
      caption(shortened(title, inner - 14, { bold: true }), { dx: color ? 14 : 0, dy: -20, fontWeight: 600 }),
    ],
  });
}

const EDGE = 0.012; // of each side, that is not drawn: contours close along the edge of their grid, which is no boundary
const GROWN = 1 / (1 - 2 * EDGE); // the whole grid, in sizes of what is drawn of it

function inside(from: number, to: number): [number, number] {
  const edge = EDGE * (to - from);
  return [from + edge, to - edge];
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
    return [{ text: names(label), ...clear(middleOf(geometry, inside.row * columns + inside.column), geometry) }];
  });
  const style = { fontWeight: 600, fill: 'currentColor', stroke: 'white', strokeWidth: 3 };
  return [Plot.text(marks, { x: 'x', y: 'y', text: 'text', ...style })];
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

import type { Geometry, NetworkReport } from '../networks/record.js';
import type { Group } from '../networks/report-groups.js';

/** The geometry that stands for a group: that of one network, at the end of its training. */
export interface Mapped {
  readonly group: Group;
  readonly network: NetworkReport;
  readonly geometry: Geometry;
}

/** The last geometry of one network of each group, of the same seed wherever one seed has them all. */
export function mapped(groups: readonly Group[], kind: Geometry['kind']): Mapped[] {
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

/** The seeds of what is shown, in words. */
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

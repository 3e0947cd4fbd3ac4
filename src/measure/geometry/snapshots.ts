import { classLook } from '../../plot/colors.js';
import { type Figure, widthOf } from '../../plot/figures-figure.js';
import { count, number } from '../../plot/format.js';
import { mean } from '../../plot/report-statistics.js';
import type { Geometry, NetworkReport, Report } from '../networks/record.js';
import { groups } from '../networks/report-groups.js';
import { entitled } from '../paper.js';
import { margins } from './chosen.js';
import { classesOf, map } from './figures-map.js';

const MOST = 8; // snapshots drawn

/** The boundary at several epochs of one training (figure A.3b of the paper). */
export function snapshots(report: Report): Figure | null {
  const group = groups(report).find(({ networks }) => networks.some((network) => history(network).length > 2));
  const network = group?.networks.find((candidate) => history(candidate).length > 2);
  if (!group || !network) return null;
  const all = spaced(history(network));
  const names = (label: number) => network.classes[label] ?? String(label);
  const present = [
    ...new Set(all.flatMap((geometry) => [...classesOf(geometry), ...geometry.points.map(({ label }) => label)])),
  ];
  const told = all.map((geometry) => {
    const values = margins(geometry);
    return `${count(geometry.epoch)}: ${classesOf(geometry).length === 1 ? 'one class everywhere' : number(mean(values))}`;
  });
  return {
    ...entitled('snapshots', report.pipeline, 'boundary-snapshots', 'The decision boundary over the training'),
    panels: all.map((geometry) =>
      map(geometry, {
        ...{ title: `epoch ${count(geometry.epoch)}`, width: widthOf(4), layer: 'classes' as const, names },
      }),
    ),
    columns: 4,
    legend: present
      .sort((a, b) => a - b)
      .map((label) => ({ label: names(label), look: classLook(label), mark: 'square' })),
    reading: `The input plane of one network (${group.label}, seed ${network.seed}) as its training goes on. Shaded: the predicted class; line: the decision boundary; marks: the training points, colored by their class.`,
    outcome: `mean distance from a training point to the nearest cell of another class, by epoch: ${told.join('; ')}.`,
  };
}

/** The geometries of the plane, one an epoch, in order. */
function history({ geometries = [] }: NetworkReport): Geometry[] {
  const plane = geometries.filter(({ kind }) => kind === 'grid');
  return [...new Map(plane.map((geometry) => [geometry.epoch, geometry])).values()].sort((a, b) => a.epoch - b.epoch);
}

function spaced(all: readonly Geometry[]): Geometry[] {
  if (all.length <= MOST) return [...all];
  const chosen = Array.from({ length: MOST }, (_, i) => Math.round((i * (all.length - 1)) / (MOST - 1)));
  return [...new Set(chosen)].map((i) => all[i]!);
}

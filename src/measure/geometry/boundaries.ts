import { classLook, look } from '../../plot/colors.js';
import { type Figure, type LegendEntry, widthOf } from '../../plot/figures-figure.js';
import { number } from '../../plot/format.js';
import { mean } from '../../plot/report-statistics.js';
import type { Report } from '../networks/record.js';
import { groups } from '../networks/report-groups.js';
import { acrossSettings } from '../networks/settings.js';
import { entitled } from '../paper.js';
import { type Mapped, mapped, margins, seedsOf } from './chosen.js';
import { classesOf, map } from './figures-map.js';

/** What each network says of every point of the plane, with the training points (figures 3a and E.3 of the paper). */
export const boundaries = (report: Report, noisy: boolean): Figure | null =>
  acrossSettings(report, (part) => draw(part, noisy));

function draw(report: Report, noisy: boolean): Figure | null {
  const all = mapped(groups(report), 'grid');
  if (all.length === 0) return null;
  const [shown, name] = noisy ? (['boundaries-noisy', 'noisy data'] as const) : (['boundaries', null] as const);
  return {
    ...entitled(shown, report.pipeline, 'boundaries', `Decision boundaries${name ? `, ${name}` : ''}`),
    ...maps(all),
    reading: `The input plane of one network a regularizer (${seedsOf(all)}), at the end of training. Shaded: the predicted class; line: the decision boundary; marks: the training points, colored by their class. Axes in units of the input.`,
    outcome: `nearest cell of another class, least and mean over the training points (cell ${cell(all)}): ${all
      .map((each) => {
        const values = margins(each.geometry);
        return `${each.group.regularizer} ${values.length > 0 ? `${number(Math.min(...values))} and ${number(mean(values))}` : 'none'}`;
      })
      .join('; ')}.`,
  };
}

/** The same on a plane through three test images. */
export function planeBoundaries(report: Report): Figure | null {
  const all = mapped(groups(report), 'plane');
  if (all.length === 0) return null;
  const wrong = all.map(({ group, geometry }) => {
    const { classes, points } = geometry;
    const cells = Array.from(classes);
    const own = new Set(points.map(({ label }) => label));
    const others = cells.filter((label) => !own.has(label)).length / Math.max(1, cells.length);
    return `${group.regularizer} ${classesOf(geometry).length} classes, ${(100 * others).toFixed(0)} % of the plane in none of the three`;
  });
  return {
    ...entitled(
      'boundaries',
      report.pipeline,
      'plane-boundaries',
      'Decision boundaries on a plane through three test images',
    ),
    ...maps(all),
    reading: `The plane through three test images (marks), a network a regularizer (${seedsOf(all)}). Shaded: the predicted class, named where its region is large enough; line: the boundary. Axes: l2 distance in the plane, in units of the input.`,
    outcome: `${wrong.join('; ')}.`,
  };
}

function maps(all: readonly Mapped[]) {
  const names = (label: number) => all[0]!.network.classes[label] ?? String(label);
  const columns = Math.min(4, Math.max(2, all.length));
  const present = [
    ...new Set(all.flatMap(({ geometry }) => [...classesOf(geometry), ...geometry.points.map((p) => p.label)])),
  ];
  const legend = present
    .sort((a, b) => a - b)
    .map((label): LegendEntry => ({ label: names(label), look: classLook(label), mark: 'square' }));
  const named = present.length > 2;
  return {
    panels: all.map(({ group, geometry }) =>
      map(geometry, {
        ...{ title: group.regularizer, color: look(group.regularizer).light, width: widthOf(columns) },
        ...{ layer: 'classes' as const, names, named },
      }),
    ),
    columns,
    legend,
  };
}

function cell([first]: readonly Mapped[]): string {
  const { xMin, xMax, columns } = first!.geometry;
  return number((xMax - xMin) / columns, 2);
}

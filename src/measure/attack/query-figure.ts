import { type DrawnFigure, seedsPhrase, WIDTH } from '../../plot/figure.js';
import { curves } from '../../plot/panels.js';
import { mean } from '../../plot/statistics.js';
import { classStyle } from '../../plot/style.js';
import { count, number } from '../../plot/table.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { Report } from '../networks/record.js';
import { distanceUnit } from '../networks/summary.js';
import type { AttackCurve } from './query-curve.js';

/** Mean distance against queries, a panel a regularizer and a line an attack; null where no attack's record has a curve of several points. */
export function queryCurves(report: Report): DrawnFigure | null {
  const drawn = groups(report)
    .map((group) => ({ group, lines: linesOf(group) }))
    .filter(({ lines }) => lines.some(({ points }) => points.length > 1));
  if (drawn.length === 0) return null;
  const names = [...new Set(drawn.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const style = (name: string) => ({ ...classStyle(names.indexOf(name)), dash: 'none' });
  const values = drawn.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(({ distance }) => distance)));
  const domain = [Math.min(...values), Math.max(...values)] as const;
  return {
    title: 'Distance against queries',
    panels: drawn.map(({ group, lines }) =>
      curves(
        lines.map(({ name, points }) => ({
          style: style(name),
          dots: true,
          points: points.map(({ queries, distance }) => ({ x: queries, y: distance })),
        })),
        {
          label: `mean Δx, ${group.label}`,
          x: 'queries a sample',
          width: WIDTH.half,
          height: 290,
          scale: 'linear',
          xLog: true,
          domain,
        },
      ),
    ),
    columns: 2,
    legend: names.map((name) => ({ label: called(drawn, name), style: style(name), mark: 'line' })),
    reading: `The mean distance (l2, ${distanceUnit(report.networks)}) of the adversarial point that an attack has after so many queries, a point for each of its steps; over the samples for which every attack found one, and over ${seedsPhrase(drawn.map(({ group }) => group))} a regularizer. A line begins where each sample has a point. The axis of queries is logarithmic.`,
    outcome: `${drawn.map(({ group, lines }) => `${group.label}: ${lines.map(said).join(', ')}`).join('; ')}.`,
  };
}

/** The curves of a group by attack. Several networks are averaged point by point, as far as all have one. */
function linesOf({ networks }: SeedGroup): AttackCurve[] {
  const all = networks.flatMap(({ attack }) => attack?.curves ?? []);
  return [...new Set(all.map(({ name }) => name))].map((name) => {
    const own = all.filter((curve) => curve.name === name);
    const shared = Math.min(...own.map(({ points }) => points.length));
    const points = Array.from({ length: shared }, (_, k) => {
      const at = own.map(({ points: each }) => each[k === shared - 1 ? each.length - 1 : k]!);
      return { queries: mean(at.map(({ queries }) => queries)), distance: mean(at.map(({ distance }) => distance)) };
    });
    const samples = own.reduce((sum, curve) => sum + curve.samples, 0);
    return { name, kind: own[0]!.kind, samples, points };
  });
}

function called(drawn: readonly { readonly lines: readonly AttackCurve[] }[], name: string): string {
  const kind = drawn.flatMap(({ lines }) => lines).find((line) => line.name === name)?.kind;
  return kind === undefined ? name : `${name} (${kind})`;
}

function said({ name, points }: AttackCurve): string {
  const { queries, distance } = points.at(-1)!;
  return `${name} ${number(distance)} after ${count(Math.round(queries))} queries`;
}

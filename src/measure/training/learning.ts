import { type Figure, regularizers, WIDTH } from '../../plot/figures-figure.js';
import { number, percent } from '../../plot/format.js';
import { mean } from '../../plot/report-statistics.js';
import type { Report } from '../networks/record.js';
import { type Group, groups } from '../networks/report-groups.js';
import { lines, linesReading } from './lines.js';

const FIRST = ['training loss', 'test loss', 'test accuracy'];

/** Every curve that was measured, over epochs: losses on a log scale, accuracies in per cent. */
export function learning(report: Report): Figure | null {
  const all = groups(report);
  const measured = [...new Set(report.networks.flatMap((network) => Object.keys(network.curves)))].filter((name) =>
    report.networks.some((network) => (network.curves[name]?.length ?? 0) > 1),
  );
  const names = [
    ...FIRST.filter((name) => measured.includes(name)),
    ...measured.filter((name) => !FIRST.includes(name)),
  ];
  if (names.length === 0) return null;
  return {
    id: 'learning',
    title: 'Learning curves',
    panels: names.map((name) =>
      lines(all, {
        label: `${name}${/accuracy/.test(name) ? ', %' : /loss/.test(name) ? ' (log scale)' : ''}`,
        width: names.length % 3 === 0 ? WIDTH.third : WIDTH.half,
        height: 290,
        scale: /accuracy/.test(name) ? 'per cent' : /loss/.test(name) ? 'log' : 'linear',
        of: (network) => network.curves[name] ?? [],
      }),
    ),
    columns: names.length % 3 === 0 ? 3 : 2,
    legend: regularizers(all),
    reading: linesReading(all),
    paper: null,
    outcome: `at the end, mean over seeds: ${names.map((name) => ends(name, all)).join('; ')}.`,
  };
}

function ends(name: string, all: readonly Group[]): string {
  const values = all.flatMap(({ label, networks }) => {
    const last = networks.flatMap((network) => network.curves[name]?.at(-1)?.value ?? []);
    return last.length > 0 ? [`${label} ${/accuracy/.test(name) ? percent(mean(last)) : number(mean(last))}`] : [];
  });
  return `${name}: ${values.join(', ')}`;
}

import { type DrawnFigure, type Panel, regularizers, WIDTH } from '../../plot/figure.js';
import { type Curves, curves, type Series, thinned } from '../../plot/panels.js';
import { mean } from '../../plot/statistics.js';
import { classStyle, markStyle } from '../../plot/style.js';
import { number } from '../../plot/table.js';
import { groups } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import { burnInRules } from '../training/figure.js';
import type { Track } from './tracking.js';

type Sample = Track['samples'][number];

/** A quantity that is tracked, and its scale. */
type Quantity = { readonly label: string; readonly of: (sample: Sample) => number; readonly log?: true };

const QUANTITIES: readonly Quantity[] = [
  { label: 'θx', of: ({ theta }) => theta },
  { label: '‖Φ(x)‖', of: ({ featureNorm }) => featureNorm },
  { label: 'cross-entropy loss (log scale)', of: ({ loss }) => loss, log: true },
];

const POINTS = 200;
const DIGITS = [1, 6]; // the classes that the paper follows
const PLAIN = { light: '#333333', dark: '#d6d6d6', dash: 'none' };

/** θx, ‖Φ(x)‖ and the loss of single samples over the training: means over points of the plane (figure A.3a of the paper). */
export function trackedPoints(report: Report): DrawnFigure | null {
  const shown = firsts(report, (network) => network.sampleShape[0] === 2);
  if (shown.length === 0) return null;
  const alone = shown.length === 1 ? shown[0]! : null;
  const samples = alone ? tracked(alone) : [];
  const panels = QUANTITIES.map((quantity) => {
    const lines = alone
      ? [
          ...samples.map((sample) => ({ ...line(alone, [sample], quantity, classStyle(sample.label)), thin: true })),
          line(alone, samples, quantity, PLAIN),
        ]
      : shown.map((network) => line(network, tracked(network), quantity, markStyle(network.regularizer)));
    return curves(lines, frame(quantity, shown, WIDTH.third));
  });
  const name = (label: number) => shown[0]!.classes[label] ?? `class ${label}`;
  const labels = [...new Set(samples.map(({ label }) => label))];
  return {
    title: 'θx, ‖Φ(x)‖ and the loss over the training',
    panels,
    columns: 3,
    legend: alone
      ? [
          { label: 'mean', style: PLAIN, mark: 'line' },
          ...labels.map((label) => ({
            label: name(label),
            style: { ...classStyle(label), dash: 'none' },
            mark: 'line' as const,
          })),
        ]
      : regularizers(groups({ ...report, networks: shown })),
    reading: `${alone ? `Thin: one training point each (n = ${samples.length}); thick: their mean` : 'Means over the tracked points, a line a regularizer'}; seed ${[...new Set(shown.map(({ seed }) => seed))].join(', ')}. θx is the cosine between Φ(x) and the difference of the two readout rows, the smallest over the wrong classes.`,
    outcome: `means, from first to last: ${shown.map((network) => `${alone ? '' : `${network.regularizer} `}${ends(network, tracked(network))}`).join('; ')}.`,
  };
}

/** θx, ‖Φ(x)‖ and the loss of two test images over the training, a row each (figure A.4 of the paper). */
export function trackedImages(report: Report): DrawnFigure | null {
  const shown = firsts(report, (network) => network.sampleShape[0] !== 2);
  const samples = shown.slice(0, 1).flatMap(tracked);
  const known = samples.filter(({ index }) =>
    shown.every((network) => tracked(network).some((s) => s.index === index)),
  );
  const digits = DIGITS.flatMap((digit) => known.find(({ label }) => label === digit) ?? []);
  const rows = digits.length === DIGITS.length ? digits : known.slice(0, 2);
  if (rows.length === 0) return null;
  const name = (label: number) => shown[0]!.classes[label] ?? String(label);
  return {
    title: 'θx, ‖Φ(x)‖ and the loss of two test images over the training',
    panels: rows.flatMap((sample) =>
      QUANTITIES.map((quantity, i): Panel => {
        const lines = shown.map((network) => line(network, [sample], quantity, markStyle(network.regularizer)));
        const drawn = curves(lines, frame(quantity, shown, WIDTH.third));
        return i === 0 ? { ...drawn, heading: `Test sample ${sample.index}, class ${name(sample.label)}` } : drawn;
      }),
    ),
    columns: 3,
    legend: shown.length > 1 ? regularizers(groups({ ...report, networks: shown })) : [],
    reading: `One test image a row, ${shown.length > 1 ? 'a line a regularizer' : 'one network'} (seed ${[...new Set(shown.map(({ seed }) => seed))].join(', ')}). θx is the cosine between Φ(x) and the difference of the two readout rows, the smallest over the wrong classes: below zero the sample is misclassified.`,
    outcome: `from first to last: ${rows.flatMap((sample) => shown.map((network) => `class ${name(sample.label)}${shown.length > 1 ? `, ${network.regularizer}` : ''}: ${ends(network, [sample])}`)).join('; ')}.`,
  };
}

/** The samples that a network was tracked on; none where it was seen at one moment only. */
function tracked({ tracks = [] }: NetworkReport): Track['samples'] {
  return tracks.length > 1 ? tracks[0]!.samples : [];
}

/** The first network of each group that was tracked. */
function firsts(report: Report, isSelected: (network: NetworkReport) => boolean): NetworkReport[] {
  const all = groups({
    ...report,
    networks: report.networks.filter((network) => tracked(network).length > 0 && isSelected(network)),
  });
  return [...new Map(all.map(({ regularizer, networks }) => [regularizer, networks[0]!])).values()];
}

/** The mean of a quantity over some samples of a network. */
function line(network: NetworkReport, of: readonly Sample[], quantity: Quantity, style: Series['style']): Series {
  const indices = of.map(({ index }) => index);
  const points = thinned(network.tracks!, POINTS).flatMap(({ epoch, samples }) => {
    const values = samples.filter(({ index }) => indices.includes(index)).map(quantity.of);
    return values.length > 0 ? [{ x: epoch, y: mean(values) }] : [];
  });
  return { style, points };
}

const frame = ({ label, log }: Quantity, shown: readonly NetworkReport[], width: number): Curves => {
  return { label, x: 'epoch', width, height: 230, scale: log ? 'log' : 'linear', rules: burnInRules(shown) };
};

function ends(network: NetworkReport, samples: readonly Sample[]): string {
  return QUANTITIES.map((quantity) => {
    const { points } = line(network, samples, quantity, PLAIN);
    return `${quantity.label.replace(' (log scale)', '')} ${number(points[0]?.y)} to ${number(points.at(-1)?.y)}`;
  }).join(', ');
}

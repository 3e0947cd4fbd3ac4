import { type DrawnFigure, type Panel, shortened } from '../../plot/figure.js';
import { brightness, imageShape, largest, perturbation, picture } from '../../plot/image.js';
import { image, Plot, panel } from '../../plot/panels.js';
import { markStyle } from '../../plot/style.js';
import { number } from '../../plot/table.js';
import { groups, type SeedGroup } from '../networks/groups.js';
import type { NetworkReport, Report } from '../networks/record.js';
import { foundSamples } from '../networks/summary.js';
import type { AttackedSample } from './attacked.js';

/** An attacked sample whose pixels are at hand. */
export type Pictured = AttackedSample & {
  readonly distance: number;
  readonly adversarialLabel: number;
  readonly original: Float32Array;
  readonly adversarial: Float32Array;
};

/** The networks to show, one of each group, and their samples in columns. */
export interface Choice {
  readonly rows: readonly {
    readonly group: SeedGroup;
    readonly network: NetworkReport;
    readonly samples: Pictured[];
  }[];
  /** Whether a column is the same test sample in every row. */
  readonly same: boolean;
}

/** Up to `columns` attacked samples: the same under every network where it can be, of different labels where it can be. */
export function choose(groups: readonly SeedGroup[], columns: number): Choice | null {
  const seen = groups
    .map((group) => ({ group, networks: group.networks.filter((network) => pictured(network).length > 0) }))
    .filter(({ networks }) => networks.length > 0);
  const first = seen[0];
  if (!first) return null;
  const shared = first.networks.find(({ seed }) =>
    seen.every(({ networks }) => networks.some((network) => network.seed === seed)),
  );
  const rows = seen.map(({ group, networks }) => {
    const network = networks.find(({ seed }) => seed === shared?.seed) ?? networks[0]!;
    return { group, network, samples: pictured(network) };
  });
  const common = rows[0]!.samples.filter(({ index }) =>
    rows.every(({ samples }) => samples.some((s) => s.index === index)),
  );
  if (common.length === 0) {
    return { rows: rows.map((row) => ({ ...row, samples: spread(row.samples, columns) })), same: false };
  }
  const chosen = spread(common, columns).map(({ index }) => index);
  const pick = (samples: readonly Pictured[]) => chosen.map((index) => samples.find((s) => s.index === index)!);
  return { rows: rows.map((row) => ({ ...row, samples: pick(row.samples) })), same: true };
}

/** The first sample of each label in turn, then the first of what is left; in order of label. */
function spread(samples: readonly Pictured[], columns: number): Pictured[] {
  const labels = new Set<number>();
  const fresh = samples.filter(({ label }) => !labels.has(label) && labels.add(label));
  const rest = samples.filter((sample) => !fresh.includes(sample));
  return [...fresh, ...rest].slice(0, columns).sort((a, b) => a.label - b.label || a.index - b.index);
}

function pictured(network: NetworkReport): Pictured[] {
  return foundSamples(network)
    .filter(
      (sample): sample is Pictured =>
        sample.adversarialLabel !== null && sample.original !== undefined && sample.adversarial !== undefined,
    )
    .sort((a, b) => a.index - b.index);
}

const COLUMNS = 4;
const SIZE = 66; // of a picture
const GAP = 5;
const HEAD = 40; // above the first row
const ROW = 30 + SIZE + 28;
const PANEL = 3 * SIZE + 2 * GAP + 4;

/** Test samples, what the attack added, and what the network then sees (as figure E.4 of the paper). */
export function pictures(report: Report): DrawnFigure | null {
  const seeable = groups(report).filter(({ networks }) => imageShape(networks[0]!.sampleShape) !== null);
  const choice = choose(seeable, COLUMNS);
  if (!choice) return null;
  const width = Math.max(...choice.rows.map(({ samples }) => samples.length));
  return {
    title: 'Test samples and the perturbations that change the prediction',
    panels: Array.from({ length: width }, (_, column) => draw(choice, column)),
    columns: COLUMNS,
    legend: [],
    reading: [
      'Each row of three: the test sample, the perturbation δ that the attack found, and the adversarial sample, their sum, with the old and the new prediction and Δx = ‖δ‖.',
      'Red raises a pixel, blue lowers it; the strongest color stands for the largest change of that picture, stated as “full scale”, so compare Δx and scales rather than colors.',
      choice.same
        ? 'A column is the same test sample under every regularizer.'
        : 'No test sample was attacked under every regularizer, so the samples of a column differ.',
    ].join(' '),
    outcome: outcome(choice),
  };
}

function draw({ rows, same }: Choice, column: number): Panel {
  const cells = rows.flatMap(({ group, network, samples }, row) => {
    const sample = samples[column];
    return sample ? [{ group, network, sample, y: HEAD + row * ROW }] : [];
  });
  const names = (label: number) => cells[0]!.network.classes[label] ?? String(label);
  const text = (value: string, x: number, y: number, more: Plot.TextOptions = {}) =>
    Plot.text([value], { x: () => x, y: () => y, text: (t: string) => t, textAnchor: 'start', ...more });
  const center = (i: number) => 2 + i * (SIZE + GAP) + SIZE / 2;
  const first = cells[0]!.sample;
  return panel({
    width: PANEL,
    height: HEAD + rows.length * ROW,
    margin: 0,
    ariaLabel: cells.map(({ group, sample }) => `${group.label}: ${said(sample, names)}`).join('; '),
    x: { type: 'identity', axis: null },
    y: { type: 'identity', axis: null },
    marks: [
      text(same ? `test sample ${first.index} (${names(first.label)})` : `sample ${column + 1}`, 2, 9, {
        fontWeight: 600,
      }),
      ...['original', 'perturbation', 'adversarial'].map((head, i) =>
        text(head, center(i), 29, { textAnchor: 'middle', fillOpacity: 0.75, fontSize: 11 }),
      ),
      ...cells.flatMap(({ group, network, sample, y }) => {
        const shape = network.sampleShape;
        const range = brightness(sample.original);
        const delta = sample.adversarial.map((value, i) => value - sample.original[i]!);
        const scale = largest(delta, imageShape(shape)![2]);
        const images = [
          picture(sample.original, shape, range),
          perturbation(delta, shape, scale),
          picture(sample.adversarial, shape, range),
        ];
        const middle = y + 30 + SIZE / 2;
        const { light } = markStyle(group.regularizer);
        return [
          Plot.dot([0], { x: () => 7, y: () => y + 7, r: 4.5, fill: light }),
          text(shortened(group.label, PANEL - 20, { bold: true }), 16, y + 7, { fontWeight: 600 }),
          text(said(sample, names), 2, y + 21),
          ...images.map((src, i) =>
            image(src, center(i), middle, { width: SIZE, height: SIZE, imageRendering: 'pixelated' }),
          ),
          Plot.rect([0, 1, 2], {
            x1: (i: number) => center(i) - SIZE / 2,
            x2: (i: number) => center(i) + SIZE / 2,
            y1: () => middle - SIZE / 2,
            y2: () => middle + SIZE / 2,
            fill: 'none',
            stroke: 'currentColor',
            strokeOpacity: 0.25,
          }),
          text(`full scale ±${number(scale, 2)}`, center(1), y + 30 + SIZE + 7, {
            textAnchor: 'middle',
            fontSize: 10,
            fillOpacity: 0.75,
          }),
        ];
      }),
    ],
  });
}

function said(sample: Pictured, names: (label: number) => string): string {
  return `${names(sample.predicted)} → ${names(sample.adversarialLabel)}, Δx ${number(sample.distance)}`;
}

function outcome({ rows }: Choice): string {
  const means = rows.map(({ group, network, samples }) => {
    const sum = samples.reduce((total, sample) => total + sample.distance, 0);
    return `${group.label} ${number(sum / samples.length)} (seed ${network.seed})`;
  });
  return `mean Δx of the samples shown: ${means.join('; ')}.`;
}

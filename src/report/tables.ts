import { textTable } from '../flow/terminal.js';
import { attackWords } from '../measure/attack/distance-figure.js';
import { shareInWords } from '../measure/log.js';
import { type Compared, comparisons, correction, probability, tested } from '../measure/networks/comparison.js';
import { byTraining, groups } from '../measure/networks/groups.js';
import { type Placed, type SettingRanking, settingRanking } from '../measure/networks/ranking.js';
import type { Differences, NetworkReport, Report } from '../measure/networks/record.js';
import {
  exactMean,
  MEASURES,
  type Measure,
  measured,
  pixelMean,
  type Spread,
  spread,
  summarizeGroup,
  summarizeNetwork,
} from '../measure/networks/summary.js';
import {
  count,
  duration,
  escaped,
  fixed,
  NONE,
  name,
  number,
  percent,
  placesFor,
  plusMinus,
  table,
} from '../plot/table.js';

/** Columns of σ; a deeper network has a table of its own. */
const LAYERS = 4;

/** One row a setting and regularizer: means and standard deviations over its networks of every number there is. */
export function regularizersTable(report: Report): string {
  const measures = measured(report.networks);
  const layers = layersOf(report);
  const shown = layers.length > LAYERS ? [] : layers;
  const all = groups(report);
  const columns = measures.map((measure) =>
    column(
      measure,
      all.map((group) => spread(group.networks, measure.of)),
    ),
  );
  const rows = all.map((group, i) => {
    const { sigma } = summarizeGroup(group);
    return [
      name(group.label, group.regularizer),
      String(group.networks.length),
      ...measures.map((measure, at) => columns[at]![i]! + finiteNote(group.networks, measure)),
      ...shown.map((layer) => (sigma[layer] ? over(sigma[layer], 3) : NONE)),
    ];
  });
  const heads = ['Regularizer', 'Networks', ...measures.map((measure) => measure.name), ...shown.map((l) => `σ ${l}`)];
  return table('Per regularizer: mean ± standard deviation over networks (seeds). Distances are l2.', heads, rows);
}

/** The cells of a column, with as many places after the point in each. */
function column({ scale, decimals }: Pick<Measure, 'scale' | 'decimals'>, spreads: readonly Spread[]): string[] {
  const scaled = (value: number | null) => (value === null ? null : scale * value);
  const values = spreads.map(({ mean, standardDeviation }) => ({
    value: scaled(mean),
    spread: scaled(standardDeviation),
  }));
  return values.map(({ value, spread }) => plusMinus(value, spread, decimals ?? placesFor(values)));
}

/** '3 of 4 records' below a mean that some records have no finite value for, or no part in; '' where it is of all. */
function finiteNote(networks: readonly NetworkReport[], { counted, counts: noun }: Measure): string {
  const counts = networks.flatMap((network) => counted?.(network) ?? []);
  const [count, of] = [sum(counts.map((one) => one.count)), sum(counts.map((one) => one.of))];
  return count === of ? '' : `<br>${shareInWords({ count, of })} ${noun ?? 'records'}`;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** σ of every layer of a deep network, a row a layer; '' where the table above has them. */
export function layersTable(report: Report): string {
  const layers = layersOf(report);
  if (layers.length <= LAYERS) return '';
  const summaries = groups(report).map(summarizeGroup);
  const rows = layers.map((layer) => [
    escaped(layer),
    ...summaries.map(({ sigma }) => (sigma[layer] ? over(sigma[layer], 3) : NONE)),
  ]);
  return table(
    'σ of every layer at the end: mean ± standard deviation over networks (seeds).',
    ['Layer', ...summaries.map(({ label }) => label)],
    rows,
  );
}

export function layersOf({ networks }: Report): string[] {
  return [...new Set(networks.flatMap((network) => Object.keys(network.sigma)))];
}

/** Mean and standard deviation over networks, times `scale`. */
export function over({ mean, standardDeviation }: Spread, decimals: number | undefined, scale = 1): string {
  if (mean === null) return NONE;
  return plusMinus(mean * scale, standardDeviation === null ? null : standardDeviation * scale, decimals);
}

/** One row a network: every number of it that fits a line. A network that several settings share has one. */
export function networksTable(report: Report): string {
  const sharers = new Map(byTraining(report.networks).map((all) => [all[0]!, all.length]));
  const networks = groups(report).flatMap((group) =>
    group.networks.flatMap((network) => {
      const runs = sharers.get(network);
      if (runs === undefined) return []; // its first run has it
      return [{ network, label: runs === 1 ? group.label : `${network.regularizer}, shared by ${runs} settings` }];
    }),
  );
  const layers = layersOf(report);
  const exact = report.networks.some((network) => exactMean(network) !== null);
  const common = report.networks.some(({ attack }) => attack?.common);
  const normalized = report.networks.some((network) => pixelMean(network) !== null);
  const refitted = report.networks.some(({ readout }) => readout);
  const deep = layers.length > LAYERS;
  const heads = [
    'Regularizer',
    'Seed',
    'Test accuracy',
    'Mean Δx ± s.e.',
    'Median Δx',
    ...(normalized ? ['Mean Δx, pixel units'] : []),
    ...(common ? ['Mean Δx, common samples'] : []),
    'Attacked',
    'Outcomes',
    ...(deep ? ['Largest σ'] : layers.map((layer) => `σ ${layer}`)),
    ...(exact ? ['Mean exact Δx'] : []),
    ...(refitted ? ['Accuracy, readout refitted', 'Mean Δx, readout refitted'] : []),
    'Queries',
    'Trained',
  ];
  const rows = networks.map(({ network, label }) => {
    const summary = summarizeNetwork(network);
    const outcomes = Object.entries(summary.outcomes).map(([outcome, n]) => `${count(n)} ${escaped(outcome)}`);
    const sigmas = deep ? [largest(summary.sigma)] : layers.map((layer) => places(summary.sigma[layer]));
    return [
      name(label, network.regularizer),
      String(network.seed),
      percent(network.testAccuracy, 2),
      plusMinus(summary.meanDistance, summary.standardError, 3),
      places(summary.medianDistance),
      ...(normalized ? [places(pixelMean(network))] : []),
      ...(common ? [onCommon(network)] : []),
      network.attack ? count(summary.attacked) : NONE,
      outcomes.join('<br>') || NONE,
      ...sigmas,
      ...(exact ? [places(exactMean(network))] : []),
      ...(refitted ? again(network) : []),
      count(summary.meanQueries),
      `${count(network.epochs)} epochs<br>${count(network.updates)} updates<br>${duration(network.seconds)}`,
    ];
  });
  return table(caption(report.networks), heads, rows);
}

/** Three places after the point, in every row. */
const places = (value: number | null | undefined): string => plusMinus(value ?? null, null, 3);

/** The mean distance over the images that all networks of the seed share, and how many they are. */
function onCommon({ attack }: NetworkReport): string {
  if (!attack?.common) return NONE;
  const { meanDistance, samples } = attack.common;
  return `${places(meanDistance)}<br>${count(samples)} samples`;
}

function again(network: NetworkReport): string[] {
  const { readout } = network;
  if (!readout) return [NONE, NONE];
  const { meanDistance, standardError } = summarizeNetwork({ ...network, attack: readout.attack });
  return [percent(readout.accuracy, 2), plusMinus(meanDistance, standardError, 3)];
}

function caption(networks: readonly NetworkReport[]): string {
  const how = attackWords({ networks });
  const attack = how === '' ? '' : ` ${how};`;
  const shared = networks.some(({ attack }) => attack?.common)
    ? ' Common samples are those that all networks of a seed were attacked on, get right, and have an adversarial one of.'
    : '';
  return `Per network.${attack} distances are l2, over correctly classified test samples for which an adversarial one was found; s.e. is the standard error over them.${shared} Queries are the mean a sample.`;
}

function largest(sigma: Readonly<Record<string, number>>): string {
  const [layer, value] = Object.entries(sigma).reduce<[string, number]>(
    (most, entry) => (entry[1] > most[1] ? entry : most),
    ['', Number.NEGATIVE_INFINITY],
  );
  return layer === '' ? NONE : `${number(value)} (${escaped(layer)})`;
}

/** Every setting and regularizer in order of the report's measure, as text: heads, then a row a place. */
function rankingCells({ measure, keys, placed }: SettingRanking): {
  readonly heads: string[];
  readonly rows: string[][];
} {
  const [accuracy, distance] = ['Test accuracy, %', 'Mean Δx'].map((one) => MEASURES.find(({ name }) => name === one)!);
  const shown = [
    { measure, of: ({ measured }: Placed) => measured },
    { measure: accuracy!, of: ({ accuracy }: Placed) => accuracy },
    { measure: distance!, of: ({ distance }: Placed) => distance },
  ].filter((one, i, all) => all.findIndex(({ measure: { name } }) => name === one.measure.name) === i);
  const columns = shown.map(({ measure, of }) => column(measure, placed.map(of)));
  return {
    heads: ['Place', 'Regularizer', ...keys, 'Networks', ...shown.map(({ measure: { name } }) => name)],
    rows: placed.map(({ place, group, values }, i) => [
      place === null ? NONE : String(place),
      group.regularizer,
      ...values,
      String(group.networks.length),
      ...columns.map((cells) => cells[i]!),
    ]),
  };
}

/** Which setting is the best, a row a setting and regularizer; '' of a report that ranks none. */
export function rankingTable(report: Report): string {
  const ranking = settingRanking(report);
  if (ranking === null) return '';
  const { heads, rows } = rankingCells(ranking);
  return table(
    `Ranked by the mean over seeds of ${ranking.measure.name} (${ranking.better} is better). Mean ± standard deviation over networks. Networks that came out the same whatever a key was stand once, as ‘any’.`,
    heads,
    rows.map(([place = '', regularizer = '', ...cells]) => [
      place,
      name(regularizer, regularizer),
      ...cells.map(escaped),
    ]),
  );
}

/** The same as aligned lines of text, for a terminal. */
export function rankingLines(report: Report): string[] {
  const ranking = settingRanking(report);
  if (ranking === null) return [];
  const { heads, rows } = rankingCells(ranking);
  return [`ranked by ${ranking.measure.name}, ${ranking.better} is better`, ...textTable([heads, ...rows])];
}

const RUNS = 3; // of one row that are named; of more there is a count

/** What differs between runs, a row for those that are alike and a table for each pipeline; '' where nothing does. */
export function differencesTables({ differences = [] }: Report): string {
  return differences.map((each) => differencesTable(each, differences.length > 1)).join('\n');
}

function differencesTable({ pipeline, keys, conditions }: Differences, several: boolean): string {
  const rows = conditions.map(({ setting, values, runs }) => [
    escaped(setting || 'otherwise'),
    ...values.map((value) => (value === null ? NONE : escaped(value))),
    runs.length > RUNS ? `${runs.length} runs` : runs.map((run) => `<code>${escaped(run)}</code>`).join('<br>'),
  ]);
  const of = several ? ` (${pipeline})` : '';
  return table(
    `A row for runs that were made alike but for the seed${of}: only those of one row are repetitions, and methods are compared within it.`,
    ['Setting', ...keys, 'Runs'],
    rows,
  );
}

const SHOWN = /accuracy|Δx/i; // of the measures: bounds are compared in the JSON

/** Method against method, a row a pair, with difference, interval and p of each measure, the test and its n; '' for none. */
export function comparisonsTable(report: Report): string {
  const all = comparisons(report).filter(({ measure }) => SHOWN.test(measure.name));
  if (all.length === 0) return '';
  const measures = [...new Set(all.map(({ measure }) => measure))];
  const pipelines = new Set(all.map(({ pipeline }) => pipeline)).size;
  const settings = new Set(all.map(({ pipeline, setting }) => `${pipeline} ${setting}`)).size;
  const allowed = correction(report);
  const rows = [...grouped(all).values()].map((pair) => {
    const { a, b, pipeline, setting } = pair[0]!;
    const where = [...(pipelines > 1 ? [pipeline] : []), setting].filter(Boolean).join(', ');
    return [
      name(`${settings > 1 && where ? `${where}: ` : ''}${a.regularizer} less ${b.regularizer}`, a.regularizer),
      [...new Set(pair.map(tested))].join('<br>'),
      ...measures.map((measure) => cell(pair.find((each) => each.measure === measure))),
    ];
  });
  return table(
    `Difference of the means (and for how many seeds the former is greater), its 95 % interval and two-sided p, each of that difference alone${allowed && `; then p with ${allowed}: below 0.05 it holds however many there are`}. Paired over seeds wherever both were trained from the same ones (Student’s t on the differences), else Welch’s t.`,
    ['Pair', 'Test', ...measures.map((measure) => measure.name)],
    rows,
  );
}

function grouped(all: readonly Compared[]): Map<string, Compared[]> {
  const pairs = new Map<string, Compared[]>();
  for (const each of all) {
    const key = JSON.stringify([each.pipeline, each.setting, each.a.regularizer, each.b.regularizer]);
    pairs.set(key, [...(pairs.get(key) ?? []), each]);
  }
  return pairs;
}

function cell(compared: Compared | undefined): string {
  if (!compared) return NONE;
  const { difference, test, measure, corrected } = compared;
  const shown = (value: number) => fixed(measure.scale * value, measure.decimals ?? 4);
  const size = difference >= 0 ? `+${shown(difference)}` : shown(difference);
  if (test === null || test.lower === null) return size;
  const holm = corrected === null ? '' : `<br>Holm ${escaped(probability(corrected))}`;
  const p = test.p === null ? '' : `<br>p ${escaped(probability(test.p))}${holm}`;
  const greater = test.greater === null ? '' : ` (${test.greater} of ${test.n})`;
  return `<strong>${size}</strong>${greater}<br>${shown(test.lower)} to ${shown(test.upper!)}${p}`;
}

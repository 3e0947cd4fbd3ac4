import { BOXED, type Column, columns } from '../../plot/figures-columns.js';
import { type Figure, seedsPhrase, WIDTH } from '../../plot/figures-figure.js';
import { percent, plusMinus } from '../../plot/format.js';
import { against } from '../networks/against.js';
import { fitted } from '../networks/fits.js';
import { MEASURES } from '../networks/measures.js';
import type { NetworkReport, Report } from '../networks/record.js';
import { type Group, groups } from '../networks/report-groups.js';
import { type Spread, spread, summariseGroup, summariseNetwork } from '../networks/report-summary.js';
import { entitled } from '../paper.js';
import { iterations } from './mean-distances.js';

/** The two numbers of every network of a group that the figure shows. */
interface Pair {
  readonly group: Group;
  readonly accuracy: Spread;
  readonly distance: Spread;
  /** Over test samples, of the only network attacked. */
  readonly fallback: number | null;
  /** Samples with an adversarial one, of each network attacked. */
  readonly found: readonly number[];
}

/** Test accuracy and mean adversarial distance of each regularizer, every seed a dot (figures 4 and 6b of the paper). */
export function robustness(report: Report): Figure | null {
  const all = groups(report).map((group): Pair => {
    const { testAccuracy, meanDistance } = summariseGroup(group);
    return {
      group,
      accuracy: testAccuracy,
      distance: meanDistance,
      fallback: ofSamples(group),
      found: foundBy(group.networks),
    };
  });
  const drawn = draw(all, report, ['Test accuracy, %', 'Mean Δx']);
  const name = entitled(
    'robustness',
    report.pipeline,
    'robustness',
    'Accuracy and adversarial distance per regularizer',
  );
  return drawn && { ...name, ...drawn };
}

/** The same with the readout thrown away and fitted anew on the frozen features (figure 5 of the paper). */
export function refitted(report: Report): Figure | null {
  const again = groups({ ...report, networks: report.networks.filter(({ readout }) => readout) });
  const all = again.map((group): Pair => {
    const attacked = group.networks.map((network) => ({ ...network, attack: network.readout!.attack }));
    return {
      group,
      accuracy: spread(group.networks, ({ readout }) => readout!.accuracy),
      distance: spread(attacked, (network) => summariseNetwork(network).meanDistance),
      fallback: ofSamples({ ...group, networks: attacked }),
      found: foundBy(attacked),
    };
  });
  const drawn = draw(all, report, ['Accuracy, readout refitted, %', 'Mean Δx, readout refitted']);
  if (!drawn) return null;
  const networks = again.flatMap((group) => group.networks);
  return {
    ...entitled('readout', report.pipeline, 'readout', 'Accuracy and adversarial distance with a readout fitted anew'),
    ...drawn,
    reading: `Multinomial logistic regression on the frozen features of the training samples, l2 penalty of strength 1, then the network with it attacked. ${drawn.reading}`,
    outcome: `${drawn.outcome} ${fitted(networks.map(({ readout }) => readout!))}`,
  };
}

function draw(
  all: readonly Pair[],
  report: Report,
  measures: readonly string[],
): Omit<Figure, 'id' | 'title' | 'paper'> | null {
  const accuracies = all.flatMap(({ group, accuracy }) => spreadColumn(group, accuracy, null, 100));
  const distances = all.flatMap(({ group, distance, fallback }) => spreadColumn(group, distance, fallback, 1));
  const size = { width: WIDTH.half, height: 300, show: 'box' as const };
  const panels = [
    ...(accuracies.length > 0 ? [columns(accuracies, { ...size, label: 'test accuracy, %' })] : []),
    ...(distances.length > 0 ? [columns(distances, { ...size, label: 'mean adversarial distance Δx' })] : []),
  ];
  if (panels.length === 0) return null;
  const most = Math.max(...all.map(({ group }) => group.networks.length));
  const marks =
    most >= BOXED
      ? 'box: quartiles over seeds, its thick line the median, its whiskers the least and the greatest seed'
      : `bar: ± 1 standard deviation over seeds${most === 1 ? ', and for the distance of a single network ± 1 standard error over its test samples' : ''}`;
  const names = new Set(all.map(({ group }) => group.regularizer));
  const both = names.has('ll-spectral') && names.has('readout-spectral');
  return {
    panels,
    columns: 2,
    legend: [],
    reading: `Gray dots: one network each (${seedsPhrase(all.map(({ group }) => group))} a regularizer). Diamond: their mean; ${marks}. Δx: l2, in units of the input, over correctly classified test samples (${samples(all.flatMap(({ found }) => found))}), Tangent Attack${iterations(report)}. Vertical axes do not begin at zero.${both ? ' ll-spectral penalizes every layer (equation 6); readout-spectral the readout alone, which is what the code of the authors does under the former name where there is one hidden layer.' : ''}`,
    outcome: [
      `${all.map(said).join('; ')}.`,
      ...MEASURES.filter(({ name }) => measures.includes(name)).map((measure) =>
        against(
          report,
          all.map(({ group }) => group),
          measure,
          measure.name.replace(', %', ', points of per cent'),
        ),
      ),
    ]
      .filter(Boolean)
      .join(' '),
  };
}

function spreadColumn(
  group: Group,
  { values, standardDeviation }: Spread,
  fallback: number | null,
  scale: number,
): Column[] {
  if (values.length === 0) return [];
  const error = standardDeviation ?? fallback;
  const { regularizer } = group;
  return [
    {
      label: regularizer,
      regularizer,
      values: values.map((v) => v * scale),
      error: error === null ? null : error * scale,
    },
  ];
}

/** Standard error over the samples of the only network attacked. */
function ofSamples(group: Group): number | null {
  const found = group.networks.map(summariseNetwork).filter((summary) => summary.meanDistance !== null);
  return found.length === 1 ? found[0]!.standardError : null;
}

const foundBy = (networks: readonly NetworkReport[]): number[] =>
  networks.flatMap((network) => (network.attack ? [summariseNetwork(network).found] : []));

function samples(counts: readonly number[]): string {
  if (counts.length === 0) return 'none attacked';
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `${least === most ? least : `${least} to ${most}`} a network`;
}

function said({ group, accuracy, distance, fallback }: Pair): string {
  const error = distance.standardDeviation ?? fallback;
  const size = distance.mean === null ? 'not attacked' : `Δx ${plusMinus(distance.mean, error)}`;
  const spreadOf = accuracy.standardDeviation;
  const shown = spreadOf === null ? percent(accuracy.mean) : `${plusMinus(100 * accuracy.mean!, 100 * spreadOf, 2)} %`;
  return `${group.label} ${shown}, ${size}`;
}

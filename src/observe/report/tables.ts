import { look } from './colours.js';
import type { NetworkReport, Report } from './data.js';
import { escaped } from './escaped.js';
import { count, duration, NONE, number, percent, plusMinus } from './format.js';
import { groups } from './groups.js';
import { type Spread, summariseGroup, summariseNetwork } from './summary.js';

const LAYERS = 4; // columns of σ; a deeper network gets one column, of its largest

/** One row a regulariser: means and standard deviations over its networks. */
export function regularisersTable(report: Report): string {
  const summaries = groups(report).map(summariseGroup);
  const layers = [...new Set(summaries.flatMap(({ sigma }) => Object.keys(sigma)))];
  const shown = layers.length > LAYERS ? [] : layers;
  const heads = ['Regulariser', 'Networks', 'Test accuracy, %', 'Mean Δx', ...shown.map((layer) => `σ ${layer}`)];
  const rows = summaries.map(({ label, regulariser, networks, testAccuracy, meanDistance, sigma }) => [
    name(label, regulariser),
    String(networks),
    over(testAccuracy, 2, 100),
    over(meanDistance, 3),
    ...shown.map((layer) => (sigma[layer] ? over(sigma[layer], 3) : NONE)),
  ]);
  return table('Per regulariser: mean ± standard deviation over networks (seeds).', heads, rows);
}

/** One row a network: every number of it that fits a line. */
export function networksTable(report: Report): string {
  const networks = groups(report).flatMap((group) =>
    group.networks.map((network) => ({ network, label: group.label })),
  );
  const layers = [...new Set(report.networks.flatMap((network) => Object.keys(network.sigma)))];
  const deep = layers.length > LAYERS;
  const heads = [
    ...['Regulariser', 'Seed', 'Test accuracy', 'Mean Δx ± s.e.', 'Median Δx', 'Attacked', 'Outcomes'],
    ...(deep ? ['Largest σ'] : layers.map((layer) => `σ ${layer}`)),
    ...['Queries', 'Trained'],
  ];
  const rows = networks.map(({ network, label }) => {
    const summary = summariseNetwork(network);
    const outcomes = Object.entries(summary.outcomes).map(([outcome, n]) => `${count(n)} ${escaped(outcome)}`);
    const sigmas = deep ? [largest(summary.sigma)] : layers.map((layer) => number(summary.sigma[layer]));
    return [
      name(label, network.regulariser),
      String(network.seed),
      percent(network.testAccuracy, 2),
      plusMinus(summary.meanDistance, summary.standardError, 3),
      number(summary.medianDistance),
      network.attack ? count(summary.attacked) : NONE,
      outcomes.join('<br>') || NONE,
      ...sigmas,
      count(summary.meanQueries),
      `${count(network.epochs)} epochs<br>${count(network.updates)} updates<br>${duration(network.seconds)}`,
    ];
  });
  return table(caption(report.networks), heads, rows);
}

function caption(networks: readonly NetworkReport[]): string {
  const iterations = [...new Set(networks.flatMap((network) => network.attack?.iterations ?? []))];
  const attack = iterations.length > 0 ? ` Tangent Attack, T = ${iterations.join(' and ')};` : '';
  return `Per network.${attack} distances are l2, over correctly classified test samples for which an adversarial one was found; s.e. is the standard error over them. Queries are the mean a sample.`;
}

function largest(sigma: Readonly<Record<string, number>>): string {
  const [layer, value] = Object.entries(sigma).reduce<[string, number]>(
    (most, entry) => (entry[1] > most[1] ? entry : most),
    ['', Number.NEGATIVE_INFINITY],
  );
  return layer === '' ? NONE : `${number(value)} (${escaped(layer)})`;
}

function over({ mean, standardDeviation }: Spread, places: number, scale = 1): string {
  if (mean === null) return NONE;
  return plusMinus(mean * scale, standardDeviation === null ? null : standardDeviation * scale, places);
}

function name(label: string, regulariser: string): string {
  const { light } = look(regulariser);
  return `<svg class="dot" width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="4.5" fill="${light}"/></svg>${escaped(label)}`;
}

/** Cells are HTML already; the first of a row is its heading. */
function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(title)}"><table>
<caption><span>${escaped(title)}</span></caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
}

import { summarizeNetwork } from '../measure/networks/summary.js';
import { duration, escaped, folded, NONE, percent, table } from '../plot/table.js';
import { costInWords, type ExperimentState, onGpu } from './cost.js';
import type { StudyOutcome } from './outcome.js';

/** Each experiment as it is run, and what it costs. */
export function experimentsTable({ experiments }: StudyOutcome): string {
  const rows = experiments.map((state) => {
    const { scaled, done, jobs, left, paper } = state;
    const { experiment, name, lacking, settings, seeds } = scaled;
    const values = scaled.set.filter((one) => !/=\//.test(one)).join(' ');
    const apart =
      scaled.apart.length === 0
        ? ''
        : `<span class="small">not the paper’s: ${escaped(scaled.apart.join(', '))}</span>`;
    return [
      escaped(name),
      `${escaped(experiment.title)}<span class="small">${escaped(values)}</span>${apart}`,
      `${settings.length} × ${seeds}`,
      `${done} of ${jobs}`,
      lacking === undefined ? escaped(left === 0 ? 'done' : costOf(state)) : escaped(`${lacking}; ${costOf(state)}`),
      escaped(`${duration(paper)}, about ${duration(paper / experiment.cost.gpu)} on one GPU`),
    ];
  });
  const heads = ['Experiment', 'Runs', 'Settings × seeds', 'Jobs done', 'What is left', 'The paper’s whole protocol'];
  return `<div class="claims">${table('Costs are no promises: seconds of the results that there are, or of a smaller run, measured or assumed as it says, times a factor.', heads, rows)}</div>`;
}

const costOf = (state: ExperimentState): string =>
  `${costInWords({ left: state.left, gpu: onGpu(state) })} (${state.basis})`;

/** Every network, folded away. */
export function networksTable({ networks }: StudyOutcome): string {
  if (networks.length === 0) return '';
  const rows = networks.map(({ experiment, setting, network }) => {
    const { meanDistance, found } = summarizeNetwork(network);
    return [
      escaped([experiment, setting].filter(Boolean).join(', ')),
      escaped(network.regularizer),
      String(network.seed),
      percent(network.testAccuracy, 2),
      meanDistance === null ? NONE : meanDistance.toPrecision(4),
      String(found),
    ];
  });
  const heads = [
    'Experiment',
    'Method',
    'Seed',
    'Test accuracy',
    'Mean Δx by Tangent Attack',
    'Images with a distance',
  ];
  return folded(`The ${networks.length} networks, one by one`, table('Each network by itself.', heads, rows));
}

/** How the results were made. */
export function provenance({ weir, results }: StudyOutcome): string {
  const rows = results.map(({ experiment, setting, seed, made }) => [
    escaped(`${[experiment, setting].filter(Boolean).join(', ')}, seed ${seed}`),
    `<code>${escaped(made.commit.slice(0, 14) || NONE)}</code>`,
    escaped(made.at.slice(0, 10)),
    duration(made.seconds),
    escaped(made.machine),
    escaped(made.data.join('; ')),
    `<code>${escaped(made.command)}</code>`,
  ]);
  const heads = ['Result', 'Commit', 'Begun', 'Time', 'Machine', 'Data', 'Command'];
  return `<dl><dt>Page by Weir</dt><dd>${escaped(weir)}</dd><dt>Results</dt><dd>${results.length}</dd></dl>
${rows.length === 0 ? '' : folded(`How the ${rows.length} results were made`, `<div class="claims">${table('A run each.', heads, rows)}</div>`)}`;
}

import type { AttackedSample, NetworkReport } from '../networks/record.js';
import type { Group } from '../networks/report-groups.js';
import { foundSamples } from '../networks/report-summary.js';

/** An attacked sample whose pixels are at hand. */
export type Pictured = AttackedSample & {
  readonly distance: number;
  readonly adversarialLabel: number;
  readonly original: Float32Array;
  readonly adversarial: Float32Array;
};

/** The networks to show, one of each group, and their samples in columns. */
export interface Choice {
  readonly rows: readonly { readonly group: Group; readonly network: NetworkReport; readonly samples: Pictured[] }[];
  /** Whether a column is the same test sample in every row. */
  readonly same: boolean;
}

/** Up to `columns` attacked samples: the same under every network where it can be, of different labels where it can be. */
export function choose(groups: readonly Group[], columns: number): Choice | null {
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

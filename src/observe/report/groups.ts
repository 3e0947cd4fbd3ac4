import type { NetworkReport, Report } from './data.js';

/** The networks that differ in nothing but their seed. */
export interface Group {
  /** What figures and tables call it: the regulariser, with its pipeline before it where a report holds several. */
  readonly label: string;
  readonly pipeline: string;
  readonly regulariser: string;
  readonly networks: readonly NetworkReport[];
}

/** The regularisers of the paper, in the order of its figures; others follow in the order they come. */
const ORDER = ['none', 'll-spectral', 'readout-spectral', 'rep-spectral', 'batch-spectral-shrinkage'];

/** Networks by pipeline and regulariser, each group in order of its seeds. */
export function groups(report: Report): Group[] {
  const pipelines = [...new Set(report.networks.map((network) => network.pipeline))];
  return pipelines.flatMap((pipeline) => {
    const here = report.networks.filter((network) => network.pipeline === pipeline);
    return [...new Set(here.map((network) => network.regulariser))].sort(byOrder).map((regulariser) => ({
      label: pipelines.length > 1 ? `${pipeline}: ${regulariser}` : regulariser,
      pipeline,
      regulariser,
      networks: here.filter((network) => network.regulariser === regulariser).sort((a, b) => a.seed - b.seed),
    }));
  });
}

function byOrder(a: string, b: string): number {
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return place(a) - place(b);
}

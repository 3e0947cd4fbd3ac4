/// <reference types="node" preserve="true" />

/**
 * Reports from a script, as `weir-engine/report`: what runs have measured, as numbers, and the page with its figures.
 *
 * @example
 * const report = collectReport(['runs/a', 'runs/b'].map((path) => RunFolder.open(path)));
 * for (const group of groups(report)) console.log(summarizeGroup(group));
 * await writeReport('comparison', report);
 *
 * @module
 */

export { type Compared, comparisons } from './measure/networks/comparison.js';
export { groups, type SeedGroup } from './measure/networks/groups.js';
export type { CurvePoint, NetworkReport, Report } from './measure/networks/record.js';
export {
  type GroupSummary,
  type NetworkSummary,
  type Spread,
  summarizeGroup,
  summarizeNetwork,
} from './measure/networks/summary.js';
export { reportJson } from './report/json.js';
export { type WrittenReport, writeReport } from './report/report.js';
export { collectReport } from './run/collect/collect.js';
export { RunFolder } from './storage/run-folder.js';

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

export type { AttackedSample, AttackReport, CommonSamples, DistanceBounds } from './measure/attack/attacked.js';
export type { AttackStanding, FixedCheck, Portfolio } from './measure/attack/portfolio.js';
export type { FieldMean, LogLine, Measurement } from './measure/log.js';
export { type Compared, type Comparison, comparisons } from './measure/networks/comparison.js';
export { groups, type SeedGroup } from './measure/networks/groups.js';
export type {
  Condition,
  CurvePoint,
  Differences,
  ForkOrigin,
  LoggedResult,
  NetworkReport,
  Report,
  RunProvenance,
} from './measure/networks/record.js';
export {
  type GroupSummary,
  type Measure,
  type NetworkSummary,
  type Spread,
  summarizeGroup,
  summarizeNetwork,
} from './measure/networks/summary.js';
export type { Classifier, RefittedReadout } from './measure/readout/record.js';
export type { MeanDifference } from './plot/statistics.js';
export { reportJson } from './report/json.js';
export { type WrittenReport, writeReport } from './report/report.js';
export { collectReport } from './run/collect/collect.js';
export type { RecordDescriptions } from './storage/record.js';
export { type RunFailure, RunFolder } from './storage/run-folder.js';

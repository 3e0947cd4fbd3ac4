import type { NetworkReport, Report } from '../data.js';
import { settingOf } from '../groups.js';
import { transferOf } from '../transfer.js';
import { alignment } from './alignment.js';
import { boundaries, planeBoundaries } from './boundaries.js';
import { bounds } from './bounds.js';
import { distribution } from './distribution.js';
import type { Figure } from './figure.js';
import { learning } from './learning.js';
import { meanDistances } from './mean-distances.js';
import { onlineReadout } from './online-readout.js';
import { pictures } from './pictures.js';
import { refitted, robustness } from './robustness.js';
import { acrossSettings } from './settings.js';
import { sigma } from './sigma.js';
import { snapshots } from './snapshots.js';
import { thresholds } from './thresholds.js';
import { trackedImages, trackedPoints } from './tracking.js';
import { tradeOff } from './trade-off.js';
import { transferAccuracies, transferBoth, transferDistances } from './transfer.js';
import { topEigenvalue, volume } from './volume.js';

type Draw = (report: Report) => Figure | null;

/** In the order of the page, which is the paper's as far as it goes: the answer first, then why, then how it came about. */
const DRAWN: readonly Draw[] = [
  (report) => (report.networks.some(planar) && report.networks.some(({ attack }) => attack) ? tradeOff(report) : null),
  (report) => (report.networks.every(planar) ? meanDistances(report, false) : null),
  (report) => (report.networks.every(planar) && report.networks.some(noisy) ? meanDistances(report, true) : null),
  (report) =>
    boundaries(
      only(report, (network) => !noisy(network)),
      false,
    ),
  (report) => boundaries(only(report, noisy), true),
  (report) => volume(report, 'grid'),
  (report) => topEigenvalue(report, 'grid'),
  (report) =>
    report.networks.every(planar) || report.networks.some(twice) ? null : acrossSettings(report, robustness),
  (report) => (folders(report) ? acrossSettings(report, transferBoth) : acrossSettings(report, transferDistances)),
  (report) => (folders(report) ? null : acrossSettings(report, transferAccuracies)),
  (report) => acrossSettings(report, refitted),
  (report) => acrossSettings(report, onlineReadout),
  (report) => acrossSettings(report, distribution),
  (report) => acrossSettings(report, thresholds),
  (report) => acrossSettings(report, bounds),
  (report) => acrossSettings(report, planeBoundaries),
  (report) => volume(report, 'plane'),
  (report) => topEigenvalue(report, 'plane'),
  (report) => acrossSettings(report, pictures),
  (report) => alignment(report, 'small'),
  (report) => alignment(report, 'large'),
  (report) => acrossSettings(report, trackedPoints),
  (report) => acrossSettings(report, trackedImages),
  (report) => acrossSettings(report, snapshots),
  (report) => acrossSettings(report, sigma),
  (report) => acrossSettings(report, learning),
];

/** Every figure that the report has the numbers for, in the order of the page; each pipeline has its own. */
export function figures(whole: Report): Figure[] {
  const report = { ...whole, whole: whole.whole ?? whole };
  const pipelines = [...new Set(report.networks.map((network) => network.pipeline))];
  return pipelines.flatMap((pipeline) => {
    const networks = report.networks.filter((network) => network.pipeline === pipeline);
    const drawn = DRAWN.flatMap((draw) => draw({ ...report, pipeline, networks }) ?? []);
    if (pipelines.length === 1) return drawn;
    const name = pipeline.replace(/[^\w-]+/g, '-'); // fit for a file and an anchor
    return drawn.map((figure) => ({ ...figure, id: `${figure.id}-${name}`, title: `${figure.title} (${pipeline})` }));
  });
}

const planar = ({ sampleShape }: NetworkReport): boolean => sampleShape.length === 1 && sampleShape[0] === 2;

/** Pretrained, then fine-tuned. */
const twice = ({ regularizer }: NetworkReport): boolean => transferOf(regularizer) !== null;

/** Whether it was fine-tuned on folders of photographs: dogs, flowers, indoor scenes. */
const folders = ({ pipeline }: Report): boolean => /folder/i.test(pipeline);

const noisy = (network: NetworkReport): boolean => /noisy/i.test(settingOf(network));

const only = (report: Report, fits: (network: NetworkReport) => boolean): Report => ({
  ...report,
  networks: report.networks.filter(fits),
});

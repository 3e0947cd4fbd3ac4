import { alignment } from '../measure/alignment/figure.js';
import { meanDistances, refitted, robustness } from '../measure/attack/distance-figure.js';
import { distribution, thresholds } from '../measure/attack/distribution-figure.js';
import { pictures } from '../measure/attack/picture-figure.js';
import { tradeOff } from '../measure/attack/trade-off-figure.js';
import { transferAccuracies, transferBoth, transferDistances } from '../measure/attack/transfer-figure.js';
import { bounds } from '../measure/certificate/figure.js';
import { boundaries, planeBoundaries, snapshots, topEigenvalue, volume } from '../measure/geometry/figure.js';
import { acrossSettings, settingOf } from '../measure/networks/groups.js';
import type { NetworkReport, Report } from '../measure/networks/record.js';
import { onlineReadout } from '../measure/readout/figure.js';
import { trackedImages, trackedPoints } from '../measure/tracking/figure.js';
import { learning, sigma } from '../measure/training/figure.js';
import type { Figure } from '../plot/figure.js';
import { transferOf } from '../plot/transfer.js';

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

import { alignment } from '../measure/alignment/figure.js';
import { meanDistances, refitted, robustness } from '../measure/attack/distance-figure.js';
import { distribution, thresholds } from '../measure/attack/distribution-figure.js';
import { pictures } from '../measure/attack/picture-figure.js';
import { queryCurves } from '../measure/attack/query-figure.js';
import { tradeOff } from '../measure/attack/trade-off-figure.js';
import { transferAccuracies, transferBoth, transferDistances } from '../measure/attack/transfer-figure.js';
import { bounds } from '../measure/certificate/figure.js';
import { boundaries, planeBoundaries, snapshots, topEigenvalue, volume } from '../measure/geometry/figure.js';
import { acrossSettings, hasConfig } from '../measure/networks/groups.js';
import type { Report } from '../measure/networks/record.js';
import { front, overSettings } from '../measure/networks/settings-figure.js';
import { onlineReadout } from '../measure/readout/figure.js';
import { measurements } from '../measure/streams/figure.js';
import { trackedImages, trackedPoints } from '../measure/tracking/figure.js';
import { learning, sigma } from '../measure/training/figure.js';
import type { DrawnFigure, Figure, FigureRequest } from '../plot/figure.js';

/** Draws a figure of the networks of one pipeline; null where they lack what it shows. */
type Draw = (report: Report) => DrawnFigure | null;

/** A row of panels for each setting. */
const perSetting =
  (draw: Draw): Draw =>
  (report) =>
    acrossSettings(report, draw);

/**
 * Every figure by its name, in the order of a page whose pipeline asks for none: the answer first, then why, then how it came about.
 *
 * To add one, write a function that draws it and give it a line here.
 */
const FIGURES = {
  settings: overSettings,
  front,
  'trade-off': tradeOff,
  'mean-distances': meanDistances,
  boundaries: perSetting(boundaries),
  volume: volume('grid'),
  'top-eigenvalue': topEigenvalue('grid'),
  robustness: perSetting(robustness),
  transfer: perSetting(transferBoth),
  'transfer-distances': perSetting(transferDistances),
  'transfer-accuracies': perSetting(transferAccuracies),
  readout: perSetting(refitted),
  'online-readout': perSetting(onlineReadout),
  distances: perSetting(distribution),
  thresholds: perSetting(thresholds),
  queries: perSetting(queryCurves),
  bounds: perSetting(bounds),
  'plane-boundaries': perSetting(planeBoundaries),
  'plane-volume': volume('plane'),
  'plane-top-eigenvalue': topEigenvalue('plane'),
  pictures: perSetting(pictures),
  'alignment-small-start': perSetting(alignment('small')),
  'alignment-large-start': perSetting(alignment('large')),
  tracking: perSetting(trackedPoints),
  'tracking-images': perSetting(trackedImages),
  'boundary-snapshots': perSetting(snapshots),
  sigma: perSetting(sigma),
  measurements: perSetting(measurements),
  learning: perSetting(learning),
} satisfies Record<string, Draw>;

export type FigureName = keyof typeof FIGURES;

/** The figures that say which setting is the best, of a report that ranks them. */
export const RANKING_FIGURES: readonly string[] = ['settings', 'front'] satisfies readonly FigureName[];

/** Figures that are drawn only for a pipeline that asks for them, each in the place of others. */
const ON_REQUEST: Partial<Record<FigureName, readonly FigureName[]>> = {
  'trade-off': [],
  transfer: ['transfer-distances', 'transfer-accuracies'],
};

/** Every figure that the report has the numbers for: for each pipeline those it asks for, in its order, then the others. */
export function figures(given: Report): Figure[] {
  const whole = given.whole ?? given;
  const pipelines = [...new Set(given.networks.map((network) => network.pipeline))];
  return pipelines.flatMap((pipeline) => {
    const networks = given.networks.filter((network) => network.pipeline === pipeline);
    const drawn = figuresOf({ ...given, whole, pipeline, networks }, whole.figures?.[pipeline] ?? []);
    if (pipelines.length === 1) return drawn;
    const name = pipeline.replace(/[^\w-]+/g, '-'); // safe in a file name and an anchor
    return drawn.map((figure) => ({ ...figure, id: `${figure.id}-${name}`, title: `${figure.title} (${pipeline})` }));
  });
}

/** A figure that is asked for twice is drawn once where both requests come to the same networks. */
function figuresOf(report: Report, requests: readonly FigureRequest[]): Figure[] {
  const requested = requests.map(({ figure }) => figure as FigureName);
  const left = new Set([...requested, ...requested.flatMap((name) => ON_REQUEST[name] ?? [])]);
  const others = (Object.keys(FIGURES) as FigureName[]).filter((name) => !left.has(name) && !(name in ON_REQUEST));
  const drawn = new Map<string, Figure>();
  for (const request of [...requests, ...others.map((figure): FigureRequest => ({ figure }))]) {
    const networks = report.networks.filter((network) => hasConfig(network, request.where));
    const key = JSON.stringify([request.figure, networks.map((network) => report.networks.indexOf(network))]);
    const drawing =
      drawn.has(key) || networks.length === 0 ? null : FIGURES[request.figure as FigureName]?.({ ...report, networks });
    if (!drawing) continue;
    const figure = named(drawing, request);
    const taken = [...drawn.values()].some(({ id }) => id === figure.id);
    drawn.set(key, taken ? { ...figure, id: `${figure.id}-${drawn.size}` } : figure); // the size keeps it unique
  }
  return [...drawn.values()];
}

/** 'figure-e1-sigma', 'Figure E.1: …'; without a number where the paper has no such figure. */
function named(drawing: DrawnFigure, { figure, number, title = drawing.title, ...words }: FigureRequest): Figure {
  const paper = words.paper ?? null;
  if (number === undefined) return { ...drawing, id: figure, title, paper };
  const id = `figure-${number.toLowerCase().replace('.', '')}-${figure}`;
  return { ...drawing, id, title: `Figure ${number}: ${title}`, paper };
}

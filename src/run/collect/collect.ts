import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { readMetrics } from '../../observe/metrics-reader.js';
import type { CurvePoint, NetworkReport, Report } from '../../observe/report/data.js';
import { transferOf, transferred, unregularised } from '../../observe/report/transfer.js';
import type { RunFolder } from '../folder.js';
import { identityNotes } from '../identity/run-identity.js';
import { version } from '../version.js';
import { type Line, Lines, number } from './lines.js';
import {
  alignment,
  attackOf,
  certificate,
  exactDistance,
  geometry,
  isProbe,
  probe,
  readoutOf,
  track,
} from './measures.js';

/** Everything that the logs of some runs say, as a report. */
export function collectReport(folders: readonly RunFolder[]): Report {
  const { started } = folders[0]!;
  const networks = folders.flatMap(networksOf);
  return {
    title: `${started.pipeline}: ${networks.length} network${networks.length === 1 ? '' : 's'}`,
    pipeline: started.pipeline,
    createdAt: new Date().toISOString(),
    weir: version,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    runtime: `Node ${process.versions.node}`,
    config: started.config,
    networks,
    notes: folders.flatMap(identityNotes),
  };
}

/** The networks of a run, as far as it has come. */
function networksOf(folder: RunFolder): NetworkReport[] {
  const lines = new Map<string, Line[]>();
  for (const record of readMetrics(join(folder.path, 'metrics.ndjson'))) {
    const line = record as unknown as Line;
    const network = String(line.network);
    const known = lines.get(network);
    if (known === undefined) lines.set(network, [line]);
    else known.push(line);
  }
  return [...lines].flatMap(([name, own]) => {
    const about = own.find((line) => line.stream === 'network');
    if (about === undefined) return []; // a graph that trains several networks: they have lines of their own
    const branch = about.branch as Line | undefined;
    const whole = branch === undefined ? own : [...before(lines.get(String(branch.of)) ?? [], branch, own), ...own];
    return [networkReport(folder, name, about, new Lines(whole), own.at(-1)!)];
  });
}

/** What was logged of a network up to where another branched off it, less what that one logged of the same moment. */
function before(trunk: readonly Line[], branch: Line, own: readonly Line[]): Line[] {
  const moment = ({ stream, number, index }: Line): string => `${stream} ${number} ${index}`;
  const known = new Set(own.map(moment));
  return trunk.filter(
    (line) => line.stream !== 'network' && Number(line.epoch) <= Number(branch.epoch) && !known.has(moment(line)),
  );
}

function networkReport(folder: RunFolder, name: string, about: Line, lines: Lines, last: Line): NetworkReport {
  const { pipeline, config, setting = '' } = folder.started;
  const updates = lines.of('updates');
  // Readouts tested while a representation is learned are no tests of a network that has a classifier of its own.
  const probed = [...lines.of('probes'), ...lines.of('tests')].filter(isProbe);
  const tests = lines.of('tests').filter((line) => !isProbe(line));
  const classifier = lines.of('classifiers').at(-1);
  const epochs = updates.filter((line) => line.endsEpoch);
  const iterations = Number(config.iterations ?? 40);
  const regulariser = regulariserOf(about);
  return {
    ...{ name, pipeline, regulariser, setting },
    seed: Number(about.seed),
    run: folder.shown,
    updates: most(updates, 'number'),
    epochs: most(updates, 'epoch'),
    seconds: number((last.wall ?? {}) as Line, 'seconds'),
    testAccuracy: number(classifier ?? tests.at(-1) ?? probed.at(-1) ?? {}, 'accuracy'),
    sampleShape: (about.sampleShape as number[] | undefined) ?? [],
    classes: (about.classes as string[] | undefined) ?? [],
    curves: {
      'training loss': curve(epochs, 'epochLoss'),
      'training accuracy': curve(epochs, 'epochAccuracy'),
      'test loss': curve(tests, 'loss'),
      'test accuracy': curve(tests, 'accuracy'),
      'learning rate': unlessConstant(curve(epochs, 'rate')), // one that never changes is in the config
    },
    sigma: sigmaOf(lines.of('sigmas')),
    burnIn: unregularised(transferOf(regulariser)?.finetuned ?? regulariser) ? null : number(config as Line, 'burnIn'),
    attack: attackOf(lines.of('attacks'), iterations),
    ...(probed.length > 0 && { probes: probed.map(probe) }),
    readout: readoutOf(lines.of('readouts'), attackOf(lines.of('readoutAttacks'), iterations)),
    exact: lines.of('exactDistances').map(exactDistance),
    geometries: lines.of('geometries').map(geometry),
    tracks: lines.of('tracks').map(track),
    alignments: lines.of('alignments').map(alignment),
    certificates: lines.of('certificates').map(certificate),
  };
}

/** One name for a network that was trained once; for one that was fine-tuned, both in a form that the report takes apart. */
function regulariserOf({ regulariser, pretrained, finetuned }: Line): string {
  const twice = typeof pretrained === 'string' && typeof finetuned === 'string';
  return twice ? transferred({ pretrained, finetuned }) : String(regulariser);
}

const most = (lines: readonly Line[], field: string): number =>
  lines.reduce((most, line) => Math.max(most, Number(line[field])), 0);

const curve = (lines: readonly Line[], field: string): CurvePoint[] =>
  lines
    .filter((line) => typeof line[field] === 'number')
    .map((line) => ({ epoch: Number(line.epoch), value: Number(line[field]) }));

const unlessConstant = (points: readonly CurvePoint[]): readonly CurvePoint[] =>
  points.every(({ value }) => value === points[0]!.value) ? [] : points;

function sigmaOf(lines: readonly Line[]): Record<string, CurvePoint[]> {
  const layers = Object.keys((lines[0]?.sigma as Line | undefined) ?? {});
  return Object.fromEntries(
    layers.map((layer) => [
      layer,
      lines.map((line) => ({ epoch: Number(line.epoch), value: Number((line.sigma as Line)[layer]) })),
    ]),
  );
}

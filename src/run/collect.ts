import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Data } from '../core/data.js';
import { readMetrics } from '../observe/metrics-reader.js';
import type { AttackedSample, CurvePoint, NetworkReport, Report } from '../observe/report/data.js';
import type { RunFolder } from './folder.js';
import { decoded } from './journal.js';
import { version } from './version.js';

type Line = { readonly [field: string]: Data };

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
    notes: [],
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
    return [networkReport(folder, name, about, whole)];
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

function networkReport(folder: RunFolder, name: string, about: Line, lines: readonly Line[]): NetworkReport {
  const { pipeline, config } = folder.started;
  const stream = (wanted: string): Line[] => lines.filter((line) => line.stream === wanted);
  const updates = stream('updates');
  const tests = stream('tests');
  const attacks = stream('attacks').filter((line) => line.outcome !== undefined);
  const last = lines.at(-1);
  const regulariser = String(about.regulariser ?? 'none');
  return {
    name,
    pipeline,
    regulariser,
    seed: Number(about.seed ?? folder.started.seed),
    run: folder.shown,
    updates: Math.max(0, ...updates.map((line) => Number(line.number))),
    epochs: Math.max(0, ...updates.map((line) => Number(line.epoch))),
    seconds: ((last?.wall as Line | undefined)?.seconds as number | undefined) ?? null,
    testAccuracy: (tests.at(-1)?.accuracy as number | undefined) ?? null,
    sampleShape: (about.sampleShape as number[] | undefined) ?? [],
    classes: (about.classes as string[] | undefined) ?? [],
    curves: {
      'training loss': curve(
        updates.filter((line) => line.endsEpoch),
        'epochLoss',
      ),
      'training accuracy': curve(
        updates.filter((line) => line.endsEpoch),
        'epochAccuracy',
      ),
      'test loss': curve(tests, 'loss'),
      'test accuracy': curve(tests, 'accuracy'),
    },
    sigma: sigmaOf(stream('sigmas')),
    burnIn: regulariser === 'none' ? null : ((config.burnIn as number | undefined) ?? null),
    attack:
      attacks.length === 0 ? null : { iterations: Number(config.iterations ?? 40), samples: attacks.map(attacked) },
  };
}

const curve = (lines: readonly Line[], field: string): CurvePoint[] =>
  lines
    .filter((line) => typeof line[field] === 'number')
    .map((line) => ({ epoch: Number(line.epoch), value: Number(line[field]) }));

function sigmaOf(lines: readonly Line[]): Record<string, CurvePoint[]> {
  const layers = Object.keys((lines[0]?.sigma as Line | undefined) ?? {});
  return Object.fromEntries(
    layers.map((layer) => [
      layer,
      lines.map((line) => ({ epoch: Number(line.epoch), value: Number((line.sigma as Line)[layer]) })),
    ]),
  );
}

function attacked(line: Line): AttackedSample {
  const number = (field: string): number | null => (typeof line[field] === 'number' ? (line[field] as number) : null);
  const original = decoded(line.original);
  const adversarial = decoded(line.adversarial);
  return {
    index: Number(line.index),
    label: Number(line.label),
    predicted: Number(line.predicted),
    adversarialLabel: number('adversarialLabel'),
    outcome: String(line.outcome),
    distance: number('distance'),
    lower: number('lower'),
    upper: number('distance'),
    queries: Number(line.queries ?? 0),
    ...(original && { original }),
    ...(adversarial && { adversarial }),
  };
}

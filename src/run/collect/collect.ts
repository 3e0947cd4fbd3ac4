import { readFileSync, realpathSync, statSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { basename } from 'node:path';
import { layerNormsRecord, tickRecord } from '../../learn/spectral/stages.js';
import { updateRecord } from '../../learn/update.js';
import { alignmentIn, alignmentRecord } from '../../measure/alignment/alignment.js';
import { type AttackedNetwork, attackOf } from '../../measure/attack/attacked.js';
import { isAttack } from '../../measure/attack/record.js';
import { certificateIn, certificateRecord } from '../../measure/certificate/record.js';
import { exactDistanceIn, exactDistanceRecord, geometryIn, geometryRecord } from '../../measure/geometry/record.js';
import type { Measurement } from '../../measure/log.js';
import { type LogLine, NetworkLog, newestOf, numberIn } from '../../measure/log.js';
import { withCommonSamples } from '../../measure/networks/common-samples.js';
import { countOfNetworks } from '../../measure/networks/groups.js';
import type {
  CurvePoint,
  ForkOrigin,
  LoggedResult,
  NetworkReport,
  Reference,
  Report,
} from '../../measure/networks/record.js';
import { summarizeNetwork } from '../../measure/networks/summary.js';
import {
  classifierOf,
  classifierRecord,
  onlineReadoutIn,
  onlineReadoutRecord,
  refittedRecord,
} from '../../measure/readout/record.js';
import { trackIn, trackRecord } from '../../measure/tracking/tracking.js';
import type { FigureRequest } from '../../plot/figure.js';
import { mean } from '../../plot/statistics.js';
import { transferOf, unregularized } from '../../plot/style.js';
import { sha256Of } from '../../storage/digest.js';
import { version } from '../../storage/file-format.js';
import { identityNotes } from '../../storage/identity-file.js';
import { type FieldDescription, numbersOf } from '../../storage/record.js';
import { originRun, type RunFolder, type RunOrigin, shownPath } from '../../storage/run-folder.js';
import { unfinishedNetworks } from '../../storage/run-state.js';
import { recordsOf } from '../run-log.js';
import { baseName, conditionsOf } from './conditions.js';
import { commandOf, provenanceOf } from './provenance.js';
import { attackLines, attackStreams, regularizerOf, remarksOn, testLines } from './records.js';

/**
 * Runs without those that are there twice, and of each of these a sentence: a folder that was named twice, or a copy of one, holds no
 * second training, and counted as one it would make every mean look surer than it is.
 */
function onceEach(given: readonly RunFolder[]): { readonly folders: readonly RunFolder[]; readonly again: string[] } {
  const folders: RunFolder[] = [];
  const again: string[] = [];
  for (const folder of given) {
    const known = folders.find((one) => sameRun(one, folder));
    if (known === undefined) folders.push(folder);
    else if (realpathSync(known.path) === realpathSync(folder.path))
      again.push(`${folder.shown} was named twice; it counts once.`);
    else again.push(`${folder.shown} is a copy of ${known.shown} and is left out.`);
  }
  return { folders, again };
}

/** Its start and its metric log tell a run from all others: both hold times. */
function sameRun(a: RunFolder, b: RunFolder): boolean {
  if (realpathSync(a.path) === realpathSync(b.path)) return true;
  if (JSON.stringify(a.started) !== JSON.stringify(b.started)) return false;
  const [one, other] = [logSize(a), logSize(b)];
  return one > 0 && one === other && digest(a) === digest(b);
}

const logSize = ({ log }: RunFolder): number => statSync(log, { throwIfNoEntry: false })?.size ?? 0;

const digest = ({ log }: RunFolder): string => sha256Of(readFileSync(log));

/**
 * Everything that the logs of some runs say, as a report.
 *
 * @example const report = collectReport([RunFolder.open('runs/a'), RunFolder.open('runs/b')]);
 */
export function collectReport(given: readonly RunFolder[]): Report {
  const { folders, again } = onceEach(given);
  const { started } = folders[0]!;
  const { settingOf, differences, notes } = conditionsOf(folders);
  const found = folders.flatMap((folder) => networksOf(folder, settingOf(folder)));
  const { networks: distinct, same } = distinctOf(found.map(({ report }) => report));
  const networks = withCommonSamples(byName(distinct));
  const several = folders.length > 1;
  const moments = found.flatMap(({ report, said }) => (several ? said.map((one) => `${report.run}: ${one}`) : said));
  return {
    title: `${started.pipeline}: ${countOfNetworks(networks)}`,
    pipeline: started.pipeline,
    createdAt: new Date().toISOString(),
    weir: version,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    runtime: `Node ${process.versions.node}`,
    config: started.config,
    networks,
    figures: Object.fromEntries(
      folders.map(({ started }) => [started.pipeline, (started.figures ?? []) as FigureRequest[]]),
    ),
    references: Object.fromEntries(
      folders.flatMap(({ started }) => (started.reference ? [[started.pipeline, started.reference as Reference]] : [])),
    ),
    ...(differences.length > 0 && { differences }),
    provenance: provenanceOf(folders),
    command: commandOf(folders[0]!),
    notes: [
      ...again,
      ...same,
      ...takenOnce(folders),
      ...notes,
      ...moments,
      ...folders.flatMap(underWay),
      ...folders.flatMap(identityNotes),
    ],
  };
}

const PICTURES = ['original', 'adversarial']; // kept of a run's first samples alone, whichever network these are of

/**
 * Networks without those that came out as another of the same seed did, in every number, and of each of these a sentence: made again to
 * the same bits, as where sweeps overlap, it is the same training and no repetition.
 */
function distinctOf(all: readonly NetworkReport[]): { readonly networks: NetworkReport[]; readonly same: string[] } {
  const known = new Map<string, NetworkReport>();
  const same: string[] = [];
  const networks = all.filter((network) => {
    const {
      run,
      seconds: _,
      geometries: __,
      config: ___,
      results: ____,
      origin: _____,
      trainedBy: ______,
      ...rest
    } = network;
    const numbers = JSON.stringify(rest, (key, value) => (PICTURES.includes(key) ? undefined : value));
    const first = known.get(numbers);
    if (first === undefined || first.run === run || network.updates === 0) {
      known.set(numbers, first ?? network);
      return true;
    }
    same.push(`${network.name} of ${run} came out as that of ${first.run} did, in every number: it counts once.`);
    return false;
  });
  return { networks, same };
}

/** The networks that were trained once for several runs, and by which runs; a sentence. */
function takenOnce(folders: readonly RunFolder[]): string[] {
  const taken = folders.flatMap(({ started }) => started.taken ?? []);
  if (taken.length === 0) return [];
  const once = (all: readonly string[]): string => [...new Set(all)].join(', ');
  const networks = once(taken.flatMap((one) => one.networks));
  const by = once(taken.map(({ run }) => basename(run)));
  const of = taken.length === 1 ? 'a run' : `${taken.length} runs`;
  return [`${networks} of ${of} was trained once for all settings that make no difference to it, by ${by}.`];
}

/** What a run has not come to yet: its accuracy may be that of an early epoch, and its mean distance that of the first few samples. */
function underWay(folder: RunFolder): string[] {
  const names = unfinishedNetworks(folder);
  if (names.length === 0) return [];
  return [
    `${folder.shown} is not at its end: its numbers of ${names.join(', ')} are those so far, and may come out otherwise; \`weir status\` tells how far it is.`,
  ];
}

/** Networks of one regularizer and setting that differ in their names by more than the seed are no repetitions: told apart by those. */
function byName(networks: readonly NetworkReport[]): NetworkReport[] {
  const names = new Map<string, Set<string>>();
  const keyOf = ({ pipeline, setting, regularizer }: NetworkReport) => JSON.stringify([pipeline, setting, regularizer]);
  for (const network of networks) {
    const known = names.get(keyOf(network)) ?? new Set();
    names.set(keyOf(network), known.add(baseName(network.name, network.seed)));
  }
  return networks.map((network) => {
    if (names.get(keyOf(network))!.size < 2) return network;
    return { ...network, setting: [network.setting, baseName(network.name, network.seed)].filter(Boolean).join(', ') };
  });
}

/** A network's part of the report, and what its reader must be told of it, a sentence each. */
interface Collected {
  readonly report: NetworkReport;
  readonly said: readonly string[];
}

/** The networks of a run, as far as it has come. */
function networksOf(folder: RunFolder, setting: string): Collected[] {
  const { origin } = folder.started;
  const source = origin && originRun(origin);
  const before = new Map(source ? loggedIn(source).map(({ name, log }) => [name, overTraining(log)]) : []);
  return loggedIn(folder).map((logged) => {
    const fork = origin && forkOf(origin, logged.log, before.get(logged.name));
    const report = { ...networkReport(folder, setting, logged), ...(fork && { origin: fork }) };
    return { report, said: remarksOn(folder, logged) };
  });
}

/** The attacked samples of each network of a run, by the stream of the attack; those with a readout that was fitted anew among them. */
export function attackedIn(folder: RunFolder): AttackedNetwork[] {
  return loggedIn(folder).map(({ name, about, log }) => ({
    name,
    sampleShape: (about.sampleShape as number[] | undefined) ?? [],
    attacks: new Map(
      [...attackStreams(log), ...attackStreams(log, 'refitted')].flatMap((one) => {
        const { samples = [] } = attackOf([one]) ?? {};
        const own = samples.map((sample) => ({ ...sample, distance: sample.upper })); // of an attack at a fixed ε too
        return own.length === 0 ? [] : [[one.stream, own] as const];
      }),
    ),
  }));
}

/** The logs of the networks of a run. */
function loggedIn(folder: RunFolder): Logged[] {
  const lines = new Map<string, LogLine[]>();
  for (const record of recordsOf(folder)) {
    const line = record as unknown as LogLine;
    const network = String(line.network);
    const known = lines.get(network);
    if (known === undefined) lines.set(network, [line]);
    else known.push(line);
  }
  return [...lines].flatMap(([name, own]) => {
    const about = own.find((line) => line.stream === 'network');
    if (about === undefined) return []; // a graph that trains several networks: they have lines of their own
    const branch = about.branch as LogLine | undefined;
    const whole = branch === undefined ? own : [...before(lines.get(String(branch.of)) ?? [], branch, own), ...own];
    const { streams } = folder;
    return [{ name, about, log: new NetworkLog(whole, streams), own: new NetworkLog(own, streams), last: own.at(-1)! }];
  });
}

/** The fork of a network, with the curves of the same network of the other run; undefined where no epoch tells how long one is. */
function forkOf(
  { run, at }: RunOrigin,
  log: NetworkLog,
  { curves, sigma }: OverTraining = { curves: {}, sigma: {} },
): ForkOrigin | undefined {
  const end = log.of(updateRecord).findLast(({ endsEpoch, epoch }) => endsEpoch && Number(epoch) > 0);
  if (end === undefined) return undefined;
  return { run: basename(run), update: at, epoch: (at * Number(end.epoch)) / Number(end.number), curves, sigma };
}

/** What was logged of a network up to where another branched off it, less what that one logged of the same moment. */
function before(trunk: readonly LogLine[], branch: LogLine, own: readonly LogLine[]): LogLine[] {
  const moment = ({ stream, number, index }: LogLine): string => `${stream} ${number} ${index}`;
  const known = new Set(own.map(moment));
  return trunk.filter(
    (line) => line.stream !== 'network' && Number(line.epoch) <= Number(branch.epoch) && !known.has(moment(line)),
  );
}

/** The log of a network. */
interface Logged {
  readonly name: string;
  readonly about: LogLine;
  /** With those of the network that it branched off. */
  readonly log: NetworkLog;
  readonly own: NetworkLog;
  readonly last: LogLine;
}

function networkReport(folder: RunFolder, setting: string, { name, about, log, own, last }: Logged): NetworkReport {
  const { pipeline, config, taken } = folder.started;
  const updates = log.of(updateRecord);
  const tests = testLines(log);
  const probes = log.of(onlineReadoutRecord); // of a network that learns without labels, so it has no tests of its own
  const classifier = classifierOf(log.of(classifierRecord));
  const refitted = classifierOf(log.of(refittedRecord));
  const regularizer = regularizerOf({ pipeline, name, about, updates: own.of(updateRecord) });
  const attack = attackOf(attackStreams(log));
  const ticked = own.of(tickRecord).filter(({ sigma }) => typeof sigma === 'object' && sigma !== null);
  const network: NetworkReport = {
    name,
    pipeline,
    regularizer,
    setting,
    seed: Number(about.seed),
    config,
    run: folder.shown,
    ...(taken?.networks.includes(name) && { trainedBy: shownPath(taken.run) }),
    updates: most(updates, 'number'),
    epochs: most(updates, 'epoch'),
    seconds: numberIn((last.wall ?? {}) as LogLine, 'seconds'),
    testAccuracy: classifier?.accuracy ?? numberIn(tests.at(-1) ?? probes.at(-1) ?? {}, 'accuracy'),
    sampleShape: (about.sampleShape as number[] | undefined) ?? [],
    classes: (about.classes as string[] | undefined) ?? [],
    ...overTraining(log),
    ...(ticked.length > 0 && { ticks: sigmaOf(ticked) }),
    burnIn: unregularized(transferOf(regularizer)?.finetuned ?? regularizer)
      ? null
      : numberIn(config as LogLine, 'burnIn'),
    attack,
    ...(probes.length > 0 && { probes: probes.map(onlineReadoutIn) }),
    classifier,
    readout: refitted && { ...refitted, attack: attackOf(attackStreams(log, 'refitted')) },
    exact: log.of(exactDistanceRecord(0)).map(exactDistanceIn),
    geometries: log.of(geometryRecord).map(geometryIn),
    tracks: log.of(trackRecord).map(trackIn),
    alignments: log.of(alignmentRecord).map(alignmentIn),
    certificates: log.of(certificateRecord(0)).map(certificateIn),
    measurements: measurementsIn(log),
  };
  return { ...network, results: resultsIn(log, summarizeNetwork(network).meanDistance) };
}

type OverTraining = Pick<NetworkReport, 'curves' | 'sigma'>;

function overTraining(log: NetworkLog): OverTraining {
  const epochs = log.of(updateRecord).filter((line) => line.endsEpoch);
  const tests = testLines(log);
  return {
    curves: {
      'training loss': curve(epochs, 'epochLoss'),
      'training accuracy': curve(epochs, 'epochAccuracy'),
      'test loss': curve(tests, 'loss'),
      'test accuracy': curve(tests, 'accuracy'),
      'learning rate': unlessConstant(curve(epochs, 'rate')), // one that never changes is in the config
    },
    sigma: sigmaOf(log.of(layerNormsRecord)),
  };
}

/** @param meanDistance of the attack that the report shows: over correct samples alone, as everywhere in it */
function resultsIn(log: NetworkLog, meanDistance: number | null): Record<string, LoggedResult> {
  const attacked = attackLines(log);
  const results: Record<string, LoggedResult> = {};
  for (const { stream, description, lines } of log.streams) {
    const values = new Map<string, { readonly about: FieldDescription; readonly all: number[] }>();
    for (const line of stream === 'network' ? [] : newestOf(lines)) {
      for (const { field, value, about } of numbersOf(description, line)) {
        if (typeof value !== 'number' || !Number.isFinite(value)) continue;
        if (values.has(field)) values.get(field)!.all.push(value);
        else values.set(field, { about, all: [value] });
      }
    }
    for (const [field, { about, all }] of values) {
      const shown = lines === attacked && field === 'distance' ? meanDistance : mean(all);
      if (shown === null) continue;
      const { better, unit, headline } = about;
      const known = { ...(better && { better }), ...(unit && { unit }), ...(headline && { headline: true }) };
      results[`${stream}.${field}`] = { value: shown, role: description.role, ...known };
    }
  }
  return results;
}

/** Records that a field of the report, or a figure of its own, is made of. */
const KNOWN = [
  updateRecord,
  layerNormsRecord,
  tickRecord,
  onlineReadoutRecord,
  classifierRecord,
  refittedRecord,
  exactDistanceRecord(0),
  geometryRecord,
  trackRecord,
  alignmentRecord,
  certificateRecord(0),
].map(({ name }) => name);

/** The streams that the report knows by their schema alone. */
function measurementsIn(log: NetworkLog): Record<string, Measurement> {
  const shown = [testLines(log), attackLines(log), attackLines(log, 'refitted')];
  const others = log.streams.filter(({ stream, description, lines }) => {
    if (stream === 'network' || shown.includes(lines)) return false;
    return isAttack(description) || !KNOWN.includes(description.name) || log.of(description) !== lines;
  });
  return Object.fromEntries(others.map(({ stream, description, lines }) => [stream, { description, records: lines }]));
}

const most = (lines: readonly LogLine[], field: string): number =>
  lines.reduce((most, line) => Math.max(most, Number(line[field])), 0);

const curve = (lines: readonly LogLine[], field: string): CurvePoint[] =>
  lines
    .filter((line) => typeof line[field] === 'number')
    .map((line) => ({ epoch: Number(line.epoch), value: Number(line[field]) }));

const unlessConstant = (points: readonly CurvePoint[]): readonly CurvePoint[] =>
  points.every(({ value }) => value === points[0]!.value) ? [] : points;

function sigmaOf(lines: readonly LogLine[]): Record<string, CurvePoint[]> {
  const layers = Object.keys((lines[0]?.sigma as LogLine | undefined) ?? {});
  return Object.fromEntries(
    layers.map((layer) => [
      layer,
      lines.map((line) => ({ epoch: Number(line.epoch), value: Number((line.sigma as LogLine)[layer]) })),
    ]),
  );
}

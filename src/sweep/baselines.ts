import { closeSync, copyFileSync, cpSync, existsSync, fsyncSync, linkSync, openSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { regularizerDefaults } from '../run/config.js';
import { configFor, isUnregularized, type Network, networksOfRun, type Pipeline } from '../run/pipeline.js';
import { digestOf } from '../storage/digest.js';
import { replaceAtomically, writeAtomically } from '../storage/disk.js';
import { checkOrigin, identityFormat, identityPath, readIdentityFile, startOf } from '../storage/identity-file.js';
import { copyKept } from '../storage/kept-arrays.js';
import { plannedNetworks, RunFolder } from '../storage/run-folder.js';
import { trainedNetwork } from '../storage/run-state.js';
import { makeFolder } from '../surroundings/folders.js';
import { type Job, jobName, type PointJob } from './jobs.js';
import { refuseOther } from './plan.js';

/** Jobs with the same unregularized networks. */
interface Alike {
  readonly all: PointJob[];
  readonly networks: readonly Network[];
}

/**
 * The jobs of a sweep in which no unregularized network is trained twice for a seed.
 *
 * On the keys of a regularizer (`ofRegularizer`) such a network does not depend, for it is wired with their defaults. So jobs that differ in
 * these keys alone have the same one. A job of its own trains it, first, and they begin with its snapshots and its log, each in a whole folder.
 */
export function withBaselines(pipeline: Pipeline, planned: readonly PointJob[]): Job[] {
  const across = Object.keys(regularizerDefaults(pipeline.config));
  const baselines = new Map<string, Job>();
  const takers = new Map<Job, Job>();
  for (const { all, networks } of alikeIn(pipeline, planned)) {
    const [{ job, point }] = all as [PointJob, ...PointJob[]];
    const rest = point.filter(([key]) => !across.includes(key));
    const { seed } = job;
    const values = configFor(pipeline.config, job.config, networks[0]!);
    const name = ['unregularized', ...(rest.length > 0 ? [jobName(rest, { config: values, seed })] : [])].join('-');
    if (all.length < 2 || baselines.has(name)) continue;
    const trained = Object.fromEntries(networks.map((network) => [network.name, branchesOf(pipeline, network, all)]));
    baselines.set(name, { ...job, name, path: join('jobs', name), setting: '', trains: { networks: trained, across } });
    const takes = { job: name, networks: Object.keys(trained) };
    for (const { job } of all) takers.set(job, { ...job, after: [...job.after, name], takes });
  }
  return [...baselines.values(), ...planned.map(({ job }) => takers.get(job) ?? job)];
}

function alikeIn(pipeline: Pipeline, planned: readonly PointJob[]): Alike[] {
  const found = new Map<string, Alike>();
  for (const one of planned) {
    const { config, seed } = one.job;
    const networks = pipeline
      .networks(config, seed)
      .filter((network) => isUnregularized(network) && network.branch === undefined);
    const [first] = networks;
    if (first === undefined) continue;
    const key = JSON.stringify([seed, configFor(pipeline.config, config, first), networks]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { all: [one], networks });
    else known.all.push(one);
  }
  return [...found.values()];
}

/** The epochs at whose end networks of these jobs branch off this one. */
function branchesOf(pipeline: Pipeline, { name }: Network, all: readonly PointJob[]): number[] {
  const epochs = all.flatMap(({ job: { config, seed } }) =>
    pipeline.networks(config, seed).flatMap(({ branch }) => (branch?.of === name ? [branch.epoch] : [])),
  );
  return [...new Set(epochs)].sort((a, b) => a - b);
}

/** What the user is told of the networks that are trained once for several jobs, or that cannot be; a line each. */
export function baselineNotes(pipeline: Pipeline, jobs: readonly Job[]): string[] {
  const baselines = jobs.filter(({ trains }) => trains !== undefined);
  const takers = jobs.filter(({ takes }) => takes !== undefined).length;
  const names = [...new Set(baselines.flatMap(({ trains }) => Object.keys(trains!.networks)))].join(', ');
  const many = baselines.length === 1 ? 'a job of its own' : `${baselines.length} jobs of their own`;
  return [
    ...(takers > 0 ? [`${names}: trained once for ${takers} jobs, by ${many}`] : []),
    ...ensembles(pipeline, jobs).map(
      (name) => `${name}: its networks are trained together, so each job trains the unregularized ones again`,
    ),
  ];
}

/** Networks whose members are trained together, of jobs that differ in keys of the regularizer alone. */
function ensembles(pipeline: Pipeline, jobs: readonly Job[]): string[] {
  const met = new Set<string>();
  const found = jobs.flatMap(({ config, seed }) =>
    pipeline.networks(config, seed).flatMap((network) => {
      const { name, members = [] } = network;
      const first = members.find(isUnregularized);
      if (first === undefined) return [];
      const key = JSON.stringify([seed, configFor(pipeline.config, config, first), network]);
      const again = met.has(key);
      met.add(key);
      return again ? [name] : [];
    }),
  );
  return [...new Set(found)];
}

/** What a run is started with. */
type Start = Parameters<typeof RunFolder.create>[1];

/** The start of a job's run. */
export function startOfJob(job: Job, pipeline: Pipeline, baseline: string | undefined): Start {
  const { module, files, seed, config, setting, trains, takes } = job;
  const { figures, reference } = pipeline;
  const own = {
    ...(trains && { part: trains.networks, across: trains.across }),
    ...(takes && baseline !== undefined && { taken: { run: resolve(baseline), networks: takes.networks } }),
  };
  return {
    module,
    pipeline: job.pipeline,
    seed,
    config,
    setting,
    networks: plannedNetworks(networksOfRun(pipeline, { seed, ...own }, config), config),
    figures,
    ...own,
    ...(reference && { reference }),
    ...(files && { files }),
  };
}

/**
 * Makes the folder of a run that begins with networks of another one: their snapshots, as links where the disk has such, their log and arrays. The
 * folder comes into its place whole.
 *
 * @throws {WeirError} where the other run is not finished, is damaged, or trained its networks with another seed or config
 */
export async function beginWith(baseline: string, path: string, pipeline: Pipeline, start: Start): Promise<void> {
  if (existsSync(join(path, 'snapshots'))) RunFolder.open(path); // throws: what was trained there is not to be overwritten
  const source = RunFolder.open(baseline);
  const { networks = [] } = start.taken ?? {};
  for (const network of networksOfRun(pipeline, start, start.config)) {
    if (networks.includes(network.name)) checkTaken(source, pipeline, network, start);
  }
  for (const name of networks) checkOrigin(source, name, trainedNetwork(source, name));
  await replaceAtomically(path, async (part) => {
    const run = RunFolder.create(part, start);
    copy(source.log, run.log);
    run.declare(source.streams);
    for (const name of networks) {
      copyKept(source.path, run.path, { network: name });
      const [from, to] = [source.snapshots(name), run.snapshots(name).folder];
      makeFolder(to);
      for (const { path, pinned } of from.list()) if (pinned) linkOrCopy(path, join(to, basename(path)));
    }
    copyIdentity(source, run);
  });
}

/** Checks that another run trained a network as this one would: a folder may have been changed or exchanged since the sweep made it. */
function checkTaken(source: RunFolder, pipeline: Pipeline, network: Network, start: Start): void {
  const wired = (run: Pick<Start, 'pipeline' | 'seed' | 'config'>) => ({
    pipeline: run.pipeline,
    seed: run.seed,
    config: configFor(pipeline.config, run.config, network),
  });
  refuseOther(
    source.shown,
    wired(source.started),
    wired(start),
    `delete ${source.shown}: the same command with --retry trains network '${network.name}' anew`,
  );
}

/** The identity of the other run, and behind it this one's: snapshots of either are its own. */
function copyIdentity(source: RunFolder, run: RunFolder): void {
  const found = readIdentityFile(source)?.file;
  const last = found?.identities.at(-1);
  if (found === undefined || last === undefined) {
    throw new WeirError(
      `${source.shown} has no identity.json, which says how its networks were trained`,
      'put it back from a copy',
    );
  }
  const own = startOf(run);
  const identity = { ...last, ...own, configDigest: digestOf(own), at: new Date().toISOString(), accepted: [] };
  const file = { ...found, format: identityFormat, identities: [...found.identities, identity] };
  writeAtomically(identityPath(run), `${JSON.stringify(file, undefined, 2)}\n`);
  const inputs = join(source.path, 'inputs');
  if (existsSync(inputs)) cpSync(inputs, join(run.path, 'inputs'), { recursive: true });
}

/** A second name for a snapshot, which is never written to; on a file system without links, a copy. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copy(from, to);
  }
}

function copy(from: string, to: string): void {
  copyFileSync(from, to);
  const file = openSync(to, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

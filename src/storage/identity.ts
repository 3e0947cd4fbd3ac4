import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Flow } from '../flow/flow.js';
import type { Fingerprint, FingerprintValue } from '../flow/header.js';
import { digestOf } from './digest.js';
import type { ModuleFiles } from './module-files.js';
import type { ConfigChange, RunConfig, RunOrigin } from './run-folder.js';

/** The machine that a run computes on. Where it differs, the same bits are not promised. Plain JSON. */
export interface Machine {
  readonly runtime: string;
  readonly threads: number;
  readonly processor: string;
  /** Of the processor: what TensorFlow makes use of. */
  readonly features: readonly string[];
  readonly node: string;
  readonly ranks: number;
}

/** Everything that a run is a function of. Plain JSON. */
export interface Identity {
  /** ISO 8601: since when. */
  readonly at: string;
  /** Weir's version, and the commit where it runs from a repository. */
  readonly weir: string;
  readonly weirCommit?: string;
  readonly seed: number;
  readonly config: RunConfig['config'];
  /** The run and the update that it was forked from, where it was. */
  readonly origin?: RunOrigin;
  /** SHA-256 of config, seed and origin. */
  readonly configDigest: string;
  readonly module: { readonly path: string; readonly files: ModuleFiles };
  /** Of the module's repository, with '-dirty' where files differ from it; none where there is no repository. */
  readonly commit?: string;
  readonly machine: Machine;
  /** By network, from when it is wired on: what each part of its graph takes in, as digests of fingerprints. */
  readonly inputs: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** The changes that the user accepted, a sentence each. */
  readonly accepted: readonly string[];
}

/** An input by the name that messages give it; the name is not compared. */
export interface NamedFingerprint extends Fingerprint {
  readonly name: string;
}

/** The data sets and networks that a graph takes in, by the node that takes them. */
export type NetworkInputs = Readonly<Record<string, readonly NamedFingerprint[]>>;

/** Reads through what a graph takes in; call it before the flow starts. */
export const inputsOf = (flow: Flow): NetworkInputs =>
  Object.fromEntries(
    flow.nodes
      .filter(({ inputs }) => inputs.length > 0)
      .map(({ name, inputs }) => [name, inputs.map((input) => ({ name: input.name, ...input.fingerprint() }))]),
  );

/** The digest of all that a network is a function of, and of the machine; its snapshots carry it. */
export const networkDigest = (identity: Identity, network: string): string => {
  const { weir: _, weirCommit, at, commit, accepted, inputs, module, ...rest } = identity;
  return digestOf({ ...rest, module: module.files, inputs: inputs[network] });
};

/** A config as the recorded changes made it, those left out that it has already. */
export function withHistory(config: RunConfig['config'], history: readonly ConfigChange[] = []): RunConfig['config'] {
  const now: Record<string, unknown> = { ...config };
  for (const { set } of history) {
    const changes = Object.entries(set);
    if (!changes.every(([key, { was }]) => isDeepStrictEqual(now[key], was))) continue;
    for (const [key, { is }] of changes) now[key] = is;
  }
  return now;
}

/** What differs between the starts of two runs: their configs key by key, their seeds and origins. */
export function configChanges(
  was: Pick<Identity, 'config' | 'seed' | 'origin'>,
  is: Pick<Identity, 'config' | 'seed' | 'origin'>,
): readonly string[] {
  const keys = [...new Set([...Object.keys(was.config), ...Object.keys(is.config)])];
  return [
    ...keys
      .filter((key) => !isDeepStrictEqual(was.config[key], is.config[key]))
      .map((key) => `the config's '${key}' was ${shown(was.config[key])} and is ${shown(is.config[key])}`),
    ...(was.seed === is.seed ? [] : [`the seed was ${was.seed} and is ${is.seed}`]),
    ...(isDeepStrictEqual(was.origin, is.origin)
      ? []
      : ['the run that it was forked from is not the one that it names']),
  ];
}

/** Which files of a pipeline's code are not what they were. @param path of the module now */
export function moduleChanges(was: ModuleFiles, is: ModuleFiles, path: string): readonly string[] {
  const [before, now] = [Object.keys(was), Object.keys(is)];
  const main = (file: string): boolean => file === before[0] || file === now[0];
  const edited = was[before[0]!] === is[now[0]!] ? [] : [`the pipeline module ${path} was edited`];
  const others = [...new Set([...before, ...now])].filter((file) => !main(file) && was[file] !== is[file]);
  const kinds = [
    [others.filter((file) => file in was && file in is), 'was edited', 'were edited'],
    [
      others.filter((file) => !(file in is)),
      'is gone, or is not imported any more',
      'are gone, or not imported any more',
    ],
    [others.filter((file) => !(file in was)), 'was not imported before', 'were not imported before'],
  ] as const;
  return [...edited, ...kinds.flatMap(([files, one, many]) => partsThat(files, path, one, many))];
}

const NAMED = 3; // files of one kind; of more there is a count

/** Where a run goes on in another checkout, each file of the engine may be one of these. */
function partsThat(files: readonly string[], path: string, one: string, many: string): string[] {
  if (files.length <= NAMED || process.env.WEIR_DEBUG !== undefined)
    return files.map((file) => `'${file}', a part of the pipeline module ${path}, ${one}`);
  const some = files.slice(0, NAMED).map((file) => `'${file}'`);
  return [
    `${files.length} parts of the pipeline module ${path} ${many}: ${some.join(', ')} and ${files.length - NAMED} others (WEIR_DEBUG=1 names all)`,
  ];
}

/** The changes of a graph's inputs, a sentence for each data set. */
export function inputChanges(was: NetworkInputs, is: NetworkInputs): readonly string[] {
  const changes = [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((node) => {
    const [before = [], now = []] = [was[node], is[node]];
    if (before.length !== now.length) return [`'${node}' took ${before.length} data sets and takes ${now.length}`];
    return now.flatMap((one, i) => {
      const what = factChanges(before[i]!, one);
      return what.length === 0 ? [] : [`${shownInput(one.name)} (for '${node}') has changed: ${what.join(', ')}`];
    });
  });
  const sentences = new Map(
    changes.map((change) => [change.replace(/ \(for '.*?'\)/, ''), change]).reverse() as [string, string][],
  );
  return [...sentences.values()].reverse(); // a data set that several nodes take is named once
}

const shownInput = (name: string): string => (name.startsWith('network ') ? name : `data set '${name}'`);

const broad = ['samples', 'shape', 'classes'];

function factChanges(was: Fingerprint, is: Fingerprint): readonly string[] {
  const keys = [...new Set([...Object.keys(was.properties), ...Object.keys(is.properties)])];
  const odd = keys.filter((key) => !isDeepStrictEqual(was.properties[key], is.properties[key]));
  if (odd.length === 0) return [];
  const coarse = odd
    .filter((key) => broad.includes(key))
    .map((key) => factChange(key, was.properties[key], is.properties[key]));
  const files = was.files && is.files ? fileChanges(was.files, is.files) : [];
  if (coarse.length + files.length > 0) return [...coarse, ...files];
  return odd.map((key) => (key === 'images' ? 'its images come in another order' : `its ${key} differ`));
}

function factChange(key: string, was: FingerprintValue | undefined, is: FingerprintValue | undefined): string {
  if (Array.isArray(was) && Array.isArray(is) && key === 'classes') {
    const at = is.findIndex((name, i) => name !== was[i]);
    if (is.length === was.length) return `class ${at + 1} is '${is[at]}' and was '${was[at]}'`;
    return `it has ${is.length} classes and had ${was.length}`;
  }
  if (key === 'samples') return `it has ${shown(is)} samples and had ${shown(was)}`;
  return `its ${key} is ${shown(is)} and was ${shown(was)}`;
}

function fileChanges(was: readonly string[], is: readonly string[]): readonly string[] {
  const split = (line: string): [string, string] => [line.slice(9), line.slice(0, 8)]; // 'checksum path'
  const [before, now] = [new Map(was.map(split)), new Map(is.map(split))];
  const edited = [...now].filter(([path, sum]) => before.has(path) && before.get(path) !== sum).map(([path]) => path);
  const fresh = [...now.keys()].filter((path) => !before.has(path));
  const gone = [...before.keys()].filter((path) => !now.has(path));
  return [
    filesThat(edited, 'was replaced', 'were replaced'),
    filesThat(fresh, 'is new', 'are new'),
    filesThat(gone, 'is gone', 'are gone'),
  ].flat();
}

const filesThat = (paths: readonly string[], one: string, many: string): string[] =>
  paths.length === 0
    ? []
    : paths.length === 1
      ? [`'${paths[0]}' ${one}`]
      : [`${paths.length} files such as '${paths[0]}' ${many}`];

/** The differences between two machines, in a few words each. */
export function machineChanges(was: Machine, is: Machine): readonly string[] {
  const missing = was.features.filter((one) => !is.features.includes(one));
  const added = is.features.filter((one) => !was.features.includes(one));
  const plain = (['ranks', 'threads', 'processor', 'runtime', 'node'] as const).flatMap((key) =>
    was[key] === is[key] ? [] : [`${key === 'node' ? 'Node.js' : key} ${is[key]} (was ${was[key]})`],
  );
  const features = [...added.map((one) => `with ${one}`), ...missing.map((one) => `without ${one}`)];
  return features.length === 0 ? plain : [...plain, `a processor ${features.join(', ')}`];
}

const shown = (value: unknown): string => {
  const text = value === undefined ? 'not set' : (JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};

/** A snapshot as far as it says whose it is. */
export interface SnapshotOrigin {
  readonly path: string;
  readonly about: { readonly identity?: unknown; readonly network?: unknown };
}

/**
 * Why a snapshot that lies in the place of a network is not the run's own; undefined where nothing speaks against it. Networks of a run
 * share what they are a function of, so the name that it carries is what tells them apart. What the user has accepted once, and the run
 * has recorded, speaks against it no more.
 *
 * @param identities what the run was a function of; undefined where its folder keeps none
 */
export function foreignReason(
  identities: readonly Identity[] | undefined,
  network: string,
  snapshot: SnapshotOrigin,
): string | undefined {
  const reason = reasonOf(identities, network, snapshot);
  const accepted = identities?.some((one) => reason !== undefined && one.accepted.includes(reason));
  return accepted ? undefined : reason;
}

function reasonOf(
  identities: readonly Identity[] | undefined,
  network: string,
  { path, about }: SnapshotOrigin,
): string | undefined {
  const file = path.slice(Math.max(0, path.lastIndexOf(join('snapshots', network)))); // wherever the folder is moved to
  if (about.network !== undefined && about.network !== network) {
    return `the snapshot ${file} is of the network '${about.network}', and lies where those of '${network}' do`;
  }
  if (identities === undefined) return about.identity === undefined ? undefined : 'its identity.json is gone';
  if (identities.some((one) => one.inputs[network] && networkDigest(one, network) === about.identity)) return undefined;
  return `the snapshot ${file} was made with other config, data or code, or by another run`;
}

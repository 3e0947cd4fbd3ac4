import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { WeirError } from '../flow/errors.js';
import { version } from './file-format.js';
import {
  configChanges,
  foreignReason,
  type Identity,
  type Machine,
  machineChanges,
  moduleChanges,
  type NamedFingerprint,
  type SnapshotOrigin,
  withHistory,
} from './identity.js';
import { type ModuleFiles, moduleFiles } from './module-files.js';
import type { ConfigChange, RunConfig, RunFolder, RunOrigin } from './run-folder.js';

/** Raised with every change to the content of `identity.json`. */
export const identityFormat = 2;

/** `identity.json` in the folder of a run. */
export interface IdentityFile {
  readonly format: number;
  /** Fingerprints by their digest; one of many files has its index beside, in `inputs/DIGEST.gz`, a line a file. */
  readonly fingerprints: Readonly<Record<string, Pick<NamedFingerprint, 'name' | 'properties'>>>;
  /** The newest last; the run was a function of each until the next. */
  readonly identities: readonly Identity[];
}

export const identityPath = (folder: RunFolder): string => join(folder.path, 'identity.json');

/**
 * The identity file of a run and its text; undefined where there is none.
 *
 * @throws {WeirError} where it is damaged, or of another format
 */
export function readIdentityFile(
  folder: RunFolder,
): { readonly text: string; readonly file: IdentityFile } | undefined {
  const path = identityPath(folder);
  if (!existsSync(path)) return undefined;
  let text: string;
  let file: IdentityFile;
  try {
    text = readFileSync(path, 'utf8');
    file = JSON.parse(text) as IdentityFile;
  } catch (cause) {
    throw new WeirError(
      `${path} is damaged, so the origin of the run is unknown: ${(cause as Error).message}`,
      'put it back from a copy, or start the run again in a new folder',
      { cause },
    );
  }
  if (file?.format === identityFormat) return { text, file };
  throw new WeirError(
    `${path} has format ${file?.format}, and this version of Weir (${version}) reads format ${identityFormat}`,
  );
}

const identitiesOf = (folder: RunFolder): readonly Identity[] | undefined => readIdentityFile(folder)?.file.identities;

/** How a machine differs from any that a run was computed on so far. */
export const machineChangesSince = (folder: RunFolder, machine: Machine): string[] => [
  ...new Set((identitiesOf(folder) ?? []).flatMap((one) => machineChanges(one.machine, machine))),
];

/** The path of a run's pipeline module: the given one, or that of its last start. @throws {WeirError} where there is no such file */
export function moduleOf(folder: RunFolder, given?: string): string {
  const path = resolve(given ?? identitiesOf(folder)?.at(-1)?.module.path ?? folder.started.module);
  if (existsSync(path)) return path;
  throw new WeirError(
    given === undefined
      ? `the pipeline module of ${folder.shown} is gone: ${path}`
      : `there is no pipeline module ${given}`,
    'put it back, or give its new path: --module PATH',
  );
}

/** The newest identity of a run, and the fingerprints of its inputs by their digest; undefined where its folder keeps none. */
export function newestIdentity(
  folder: RunFolder,
): { readonly identity: Identity; readonly fingerprints: IdentityFile['fingerprints'] } | undefined {
  const file = readIdentityFile(folder)?.file;
  const identity = file?.identities.at(-1);
  return file && identity && { identity, fingerprints: file.fingerprints };
}

/** A sentence for a report on a run's origin, on each change that was accepted when it went on, and on each change of machine. */
export function identityNotes(folder: RunFolder): string[] {
  const identities = identitiesOf(folder) ?? [];
  const { taken, createdAt } = folder.started;
  const changes = identities.flatMap(({ at, accepted, machine }, i) => {
    const before = identities[i - 1];
    const older =
      taken && at > createdAt
        ? ` ${taken.networks.join(', ')} was trained before that change, by ${basename(taken.run)}.`
        : '';
    const moved = before === undefined ? [] : machineChanges(before.machine, machine);
    return [
      ...accepted.map((change) => `${folder.shown} went on, by --accept-changes, although ${change}.${older}`),
      ...(moved.length === 0
        ? []
        : [
            `${folder.shown} went on, on ${at.slice(0, 10)}, with ${moved.join(', ')}: the same bits are not promised.`,
          ]),
    ];
  });
  return [...originNotes(folder), ...changes];
}

const changeInWords = (key: string, was: unknown, is: unknown): string => {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  return `${key}=${text(is)} (before: ${text(was)})`;
};

/** What a change of a run's config set, in words: 'rate=0.05 (before: 0.2)'. */
export const setInWords = ({ set }: ConfigChange): string =>
  Object.entries(set)
    .map(([key, { was, is }]) => changeInWords(key, was, is))
    .join(', ');

/** In what a fork differed from the run that it was forked from when it began, in words; 'the same config' where in nothing. */
export function forkInWords({ config: now, history = [] }: RunConfig, { config: before }: RunOrigin): string {
  const config: Record<string, unknown> = { ...now };
  for (const { set } of history.toReversed()) for (const [key, { was }] of Object.entries(set)) config[key] = was;
  const keys = Object.keys(config).filter((key) => !isDeepStrictEqual(config[key], before[key]));
  return keys.map((key) => changeInWords(key, before[key], config[key])).join(', ') || 'the same config';
}

function originNotes({ shown, started }: RunFolder): string[] {
  const { origin, history = [] } = started;
  const changes = history.map((change) => {
    const where = Object.entries(change.updates).map(([network, number]) => `update ${number} of ${network}`);
    return `${shown} went on, on ${change.at.slice(0, 10)}, from ${where.join(', ')}, with ${setInWords(change)}.`;
  });
  if (origin === undefined) return changes;
  const { run, at, moved = [] } = origin;
  return [
    `${shown} is ${run} up to update ${at}; from there on it has ${forkInWords(started, origin)}.`,
    ...(moved.length === 0
      ? []
      : [`${shown} went on with ${moved.join(', ')}, other than ${run}: the same bits are not promised.`]),
    ...changes,
  ];
}

/**
 * Checks, for a command that reads results and computes none, that a snapshot is of this network of the run in whose folder it lies,
 * and that the folder's config was not edited.
 *
 * @throws {WeirError} where the snapshot is another network's, or the config was edited
 */
export function checkOrigin(folder: RunFolder, network: string, snapshot: SnapshotOrigin): void {
  const edits = configEdits(folder);
  if (edits.length > 0) throw refusal(folder, edits);
  const foreign = foreignReason(identitiesOf(folder), network, snapshot);
  if (foreign !== undefined) throw refusal(folder, [foreign]);
}

/** The changes of a run's config and module since its newest identity, and that identity; none where its folder has no identity. */
export async function changesOf(
  folder: RunFolder,
  module: string,
): Promise<{ readonly changes: readonly string[]; readonly identity: Identity | undefined }> {
  const files = await moduleFiles(module);
  const identity = identitiesOf(folder)?.at(-1);
  if (identity === undefined) return { changes: [], identity };
  const edited = moduleChanges(identity.module.files, files, module);
  return { changes: [...configEdits(folder), ...edited], identity };
}

/**
 * Checks that the config and the module of a run have not changed. Needs no TensorFlow.
 *
 * @returns the files of the module
 * @throws {WeirError} that names each change, unless changes are accepted
 */
export async function checkFiles(
  folder: RunFolder,
  module: string,
  { acceptChanges }: { readonly acceptChanges?: boolean | undefined },
): Promise<ModuleFiles> {
  const { changes } = await changesOf(folder, module);
  if (changes.length > 0 && !acceptChanges) throw refusal(folder, changes);
  return moduleFiles(module);
}

/**
 * The differences of `config.json` from the newest identity, a sentence each: keys, the seed, and trained networks that it does not list.
 *
 * @throws {WeirError} where `identity.json` is damaged
 */
export function configEdits(folder: RunFolder): readonly string[] {
  const identity = identitiesOf(folder)?.at(-1);
  if (identity === undefined) return [];
  const { networks } = folder.started;
  const unlisted = Object.keys(identity.inputs).filter((one) => networks?.every(({ name }) => name !== one));
  return [
    ...configChanges({ ...identity, config: withHistory(identity.config, folder.started.history) }, startOf(folder)),
    ...unlisted.map((name) => `its config.json does not list the network '${name}', which it trains`),
  ];
}

/** The config, seed and origin of a run, after a round trip through JSON. */
export const startOf = ({
  started: { config, seed, origin },
}: RunFolder): Pick<Identity, 'config' | 'seed' | 'origin'> => JSON.parse(JSON.stringify({ config, seed, origin }));

/**
 * A sentence on each network whose newest snapshot is not the run's own. Only the heads of snapshots are read.
 *
 * @throws {SnapshotError} where a head is altered, or cannot be read @throws {WeirError} where `identity.json` is damaged
 */
export function foreignSnapshots(folder: RunFolder): readonly string[] {
  const heads = (folder.started.networks ?? []).flatMap(({ name }) => {
    const head = folder.snapshots(name).newestHead();
    return head === undefined ? [] : [{ name, head }];
  });
  const identities = identitiesOf(folder); // after the heads: a run that goes on writes it before them
  return [...new Set(heads.flatMap(({ name, head }) => foreignReason(identities, name, head) ?? []))];
}

/** The error of a run that has changed. */
export function refusal(folder: RunFolder, changes: readonly string[]): WeirError {
  return new WeirError(
    `the run in ${folder.shown} is not what it was: ${changes.join('; ')}`,
    'put back what it was, or start a new run; --accept-changes goes on all the same, and records it',
  );
}

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { overlaps } from '../data/fingerprint.js';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import type { Fingerprint } from '../flow/header.js';
import { noticeOnce } from '../flow/terminal.js';
import { writeAtomically } from '../storage/atomic-write.js';
import { digestOf } from '../storage/digest.js';
import { onDisk } from '../storage/disk.js';
import { version } from '../storage/file-format.js';
import { makeFolder } from '../storage/folders.js';
import {
  configChanges,
  foreignReason,
  type Identity,
  inputChanges,
  inputsOf,
  type Machine,
  machineChanges,
  moduleChanges,
  type NamedFingerprint,
  type NetworkInputs,
  networkDigest,
  type SnapshotOrigin,
} from '../storage/identity.js';
import { type ModuleFiles, moduleFiles } from '../storage/module-files.js';
import type { RunFolder } from '../storage/run-folder.js';
import { commitOf } from './machine.js';
import { type Pipeline, takenIn } from './pipeline.js';

const format = 1;

/** `identity.json` in the folder of a run. */
interface IdentityFile {
  readonly format: number;
  /** Fingerprints by their digest; what lies in many files has its index beside, in `inputs/DIGEST.gz`, a line a file. */
  readonly fingerprints: Readonly<Record<string, Pick<NamedFingerprint, 'name' | 'facts'>>>;
  /** The newest last; each is what the run was a function of until the next. */
  readonly identities: readonly Identity[];
}

export interface IdentityOptions {
  /** Where the pipeline module is now. */
  readonly module?: string | undefined;
  /** Go on although inputs differ, and record it. */
  readonly acceptChanges?: boolean | undefined;
}

const fileOf = (folder: RunFolder): string => join(folder.path, 'identity.json');

function read(folder: RunFolder): { readonly text: string; readonly file: IdentityFile } | undefined {
  if (!existsSync(fileOf(folder))) return undefined;
  let text: string;
  let file: IdentityFile;
  try {
    text = readFileSync(fileOf(folder), 'utf8');
    file = JSON.parse(text) as IdentityFile;
  } catch (cause) {
    throw new WeirError(
      `${fileOf(folder)} cannot be read, so what the run was made with is not known: ${(cause as Error).message}`,
      'put it back from a copy, or start the run again in a new folder',
      { cause },
    );
  }
  if (file.format === format) return { text, file };
  throw new WeirError(`${fileOf(folder)} is of format ${file.format}, this is Weir ${version} with format ${format}`);
}

/** The pipeline module of a run: as it is given, or where it was last. @throws {WeirError} where it is not there */
export function moduleOf(folder: RunFolder, given?: string): string {
  const path = resolve(given ?? read(folder)?.file.identities.at(-1)?.module.path ?? folder.started.module);
  if (existsSync(path)) return path;
  throw new WeirError(
    given === undefined
      ? `the pipeline module of ${folder.shown} is gone: ${path}`
      : `there is no pipeline module ${given}`,
    'put it back, or say where it is now: --module PATH',
  );
}

/** What a run is a function of now, and the fingerprints of its inputs by their digest; undefined where its folder does not say. */
export function newestIdentity(
  folder: RunFolder,
): { readonly identity: Identity; readonly fingerprints: IdentityFile['fingerprints'] } | undefined {
  const file = read(folder)?.file;
  const identity = file?.identities.at(-1);
  return file && identity && { identity, fingerprints: file.fingerprints };
}

/** What a report tells of a run that did not go on as it was: a sentence for each change that was accepted, and for each machine. */
export function identityNotes(folder: RunFolder): string[] {
  const identities = read(folder)?.file.identities ?? [];
  return identities.flatMap(({ at, accepted, machine }, i) => {
    const before = identities[i - 1];
    const moved = before === undefined ? [] : machineChanges(before.machine, machine);
    return [
      ...accepted.map((change) => `${folder.shown} went on, by --accept-changes, although ${change}.`),
      ...(moved.length === 0
        ? []
        : [
            `${folder.shown} went on, on ${at.slice(0, 10)}, with ${moved.join(', ')}: the same bits are not promised.`,
          ]),
    ];
  });
}

/**
 * Refuses a snapshot that is not of this network of the run in whose folder it lies, and a folder whose config was edited: for who reads
 * results and computes none.
 */
export function checkOrigin(folder: RunFolder, network: string, snapshot: SnapshotOrigin): void {
  const identities = read(folder)?.file.identities;
  const changes = identities === undefined ? [] : editsOf(folder, identities.at(-1)!);
  if (changes.length > 0) throw refusal(folder, changes);
  const foreign = foreignReason(identities, network, snapshot);
  if (foreign !== undefined) throw refusal(folder, [foreign]);
}

/** What of a run's config and module is not what it was, and its identity; nothing where it has none. */
export async function changesOf(
  folder: RunFolder,
  module: string,
): Promise<{ readonly changes: readonly string[]; readonly identity: Identity | undefined }> {
  const files = await moduleFiles(module);
  const identity = read(folder)?.file.identities.at(-1);
  if (identity === undefined) return { changes: [], identity };
  const edited = moduleChanges(identity.module.files, files, module);
  return { changes: [...editsOf(folder, identity), ...edited], identity };
}

/**
 * Refuses a run whose config or module is not what it was, which takes no TensorFlow to tell.
 *
 * @returns the files of the module
 */
export async function checkFiles(
  folder: RunFolder,
  module: string,
  { acceptChanges }: IdentityOptions,
): Promise<ModuleFiles> {
  const { changes } = await changesOf(folder, module);
  if (changes.length > 0 && !acceptChanges) throw refusal(folder, changes);
  return moduleFiles(module);
}

/** In what `config.json` says other than what the run was made with: keys, seed, and the networks that it has trained. */
function editsOf({ started }: RunFolder, identity: Identity): string[] {
  const lost = Object.keys(identity.inputs).filter((one) => started.networks?.every(({ name }) => name !== one));
  const unlisted = lost.map((name) => `its config.json does not list the network '${name}', which it trains`);
  return [...configChanges(identity, plain(started)), ...unlisted];
}

const plain = ({ config, seed }: RunFolder['started']): Pick<Identity, 'config' | 'seed'> =>
  JSON.parse(JSON.stringify({ config, seed }));

/** The error of a run that is not what it was. */
export function refusal(folder: RunFolder, changes: readonly string[]): WeirError {
  return new WeirError(
    `the run in ${folder.shown} is not what it was: ${changes.join('; ')}`,
    'put back what it was, or start a new run; --accept-changes goes on all the same, and records it',
  );
}

/**
 * What a run is a function of, as its folder keeps it: config, module, data, machine. Compared before work begins, and again as each of
 * its networks is wired; every snapshot carries its digest.
 *
 * It reads files and writes none until `save`, which wants the folder's lock.
 */
export class RunIdentity {
  /** What has been accepted since the folder was read. */
  readonly changes: string[] = [];
  /** The same and what the machine is now, as lines for whoever shows the run. */
  readonly said: string[] = [];
  private readonly pending = new Map<string, readonly string[]>();
  private dirty = true;
  private changed = false;

  private constructor(
    private readonly folder: RunFolder,
    private file: IdentityFile,
    private text: string | undefined,
    private readonly accept: boolean,
  ) {}

  /**
   * The identity of a run's folder, its config and module compared with what they were; of a run that begins, what it begins with.
   *
   * @throws {WeirError} that names each file and key that is not what it was, unless changes are accepted
   */
  static async of(folder: RunFolder, machine: Machine, options: IdentityOptions = {}): Promise<RunIdentity> {
    const { acceptChanges = false } = options;
    const found = read(folder);
    const path = moduleOf(folder, options.module);
    const [commit, weirCommit] = [path, import.meta.filename].map(commitOf);
    const given = plain(folder.started);
    const now: Identity = {
      ...{ at: new Date().toISOString(), weir: version, ...given, configDigest: digestOf(given) },
      module: { path, files: await moduleFiles(path) },
      ...(commit !== undefined && { commit }),
      ...(weirCommit !== undefined && { weirCommit }),
      ...{ machine, inputs: {}, accepted: folder.started.from?.accepted ?? [] },
    };
    const before = found?.file.identities.at(-1);
    if (found === undefined || before === undefined) {
      const { files } = folder.started;
      const changes = [
        ...(folder.hasSnapshots ? ['its identity.json is gone'] : []),
        ...(files === undefined ? [] : moduleChanges(files, now.module.files, path)),
      ];
      if (changes.length > 0 && !acceptChanges) throw refusal(folder, changes);
      const accepted = [...now.accepted, ...changes];
      const file = { format, fingerprints: {}, identities: [{ ...now, accepted }] };
      return new RunIdentity(folder, file, undefined, acceptChanges);
    }
    const changes = [
      ...configChanges(before, now),
      ...moduleChanges(before.module.files, now.module.files, now.module.path),
    ];
    if (changes.length > 0 && !acceptChanges) throw refusal(folder, changes);
    const own = new RunIdentity(folder, found.file, found.text, acceptChanges);
    const moved = machineChanges(before.machine, machine);
    if (moved.length > 0) own.said.push(`this goes on with ${moved.join(', ')}: the same bits are not promised`);
    const same = changes.length + moved.length === 0 && before.module.path === path;
    own.dirty = !same;
    if (!same) own.add({ ...now, inputs: before.inputs, accepted: changes });
    own.accepting(changes);
    return own;
  }

  /** What was accepted, of this folder and in all. */
  get accepted(): readonly string[] {
    return this.file.identities.flatMap(({ accepted }) => accepted);
  }

  /** What the newest snapshots carry. */
  digest(network: string): string {
    return networkDigest(this.now, network);
  }

  /**
   * Compares the data of one network with what it was, before anything is done with it: of the one that the run stands at, where that was
   * recorded, else of the last that was.
   */
  async check(pipeline: Pipeline, standing?: string): Promise<void> {
    this.checkNetworks(pipeline);
    const recorded = Object.keys(this.now.inputs);
    const name = recorded.find((one) => one === standing) ?? recorded.at(-1);
    if (name !== undefined) await this.compare(pipeline, name);
  }

  /**
   * Compares what a network that is being wired takes in with what it took, or records it. Where an earlier network of the run took
   * something else, it is wired once more, which tells data that have changed from a pipeline that gives each network its own.
   *
   * @throws {WeirError} that names the data sets that have changed, and what of them
   */
  async wired(pipeline: Pipeline, network: string, flow: Flow): Promise<void> {
    const taken = inputsOf(flow);
    const was = this.recorded(network);
    if (was === undefined) {
      const other = Object.keys(this.now.inputs).at(-1);
      const alike = other === undefined || isDeepStrictEqual(this.now.inputs[other], digests(taken));
      if (!alike) await this.compare(pipeline, other);
    } else this.refuse(inputChanges(was, taken));
    this.record(network, taken);
    for (const line of overlaps(flow)) noticeOnce(line);
  }

  /** @throws {WeirError} for a snapshot that this run did not make, as it is or was, unless changes are accepted */
  checkSnapshot(network: string, snapshot: SnapshotOrigin): void {
    const foreign = foreignReason(this.file.identities, network, snapshot);
    if (foreign !== undefined) this.refuse([foreign]);
  }

  /** Writes what is new; in place whole or not at all. @throws {WeirError} where it cannot be written, or was written by another process */
  save(): void {
    if (!this.dirty) return;
    const file = fileOf(this.folder);
    if ((existsSync(file) ? readFileSync(file, 'utf8') : undefined) !== this.text) {
      throw new WeirError(`${file} has changed since it was read`, 'another process worked on the run: try once more');
    }
    const text = `${JSON.stringify(this.file, undefined, 2)}\n`;
    const inputs = join(this.folder.path, 'inputs');
    if (this.pending.size > 0) onDisk(`make the folder ${inputs}`, () => makeFolder(inputs));
    for (const [digest, lines] of this.pending) writeAtomically(this.indexFile(digest), gzipSync(lines.join('\n')));
    writeAtomically(file, text);
    this.pending.clear();
    this.text = text;
    this.dirty = false;
  }

  private accepting(changes: readonly string[]): void {
    this.changes.push(...changes);
    this.said.push(...changes.map((change) => `accepted: ${change}`));
  }

  private get now(): Identity {
    return this.file.identities.at(-1)!;
  }

  private add(identity: Identity): void {
    this.file = { ...this.file, identities: [...this.file.identities, identity] };
    this.changed = this.dirty = true;
  }

  private replace(identity: Identity): void {
    this.file = { ...this.file, identities: this.file.identities.with(-1, identity) };
    this.dirty = true;
  }

  private checkNetworks(pipeline: Pipeline): void {
    const { config, seed, networks } = this.folder.started;
    if (networks === undefined) return;
    const [was, is] = [networks, pipeline.networks(config, seed)].map((all) => all.map(({ name }) => name).join(', '));
    if (was !== is) this.refuse([`the pipeline lists the networks ${is}, and listed ${was}`]);
  }

  private async compare(pipeline: Pipeline, network: string): Promise<void> {
    const { config, seed } = this.folder.started;
    const planned = pipeline.networks(config, seed).find(({ name }) => name === network);
    if (planned === undefined) return this.refuse([`the pipeline has no network '${network}' any more`]);
    const taken = await takenIn(pipeline, config, planned);
    this.refuse(inputChanges(this.recorded(network)!, taken));
    this.record(network, taken);
  }

  /** What a network took in, as it was recorded. */
  private recorded(network: string): NetworkInputs | undefined {
    const inputs = this.now.inputs[network];
    return (
      inputs &&
      Object.fromEntries(Object.entries(inputs).map(([node, all]) => [node, all.map((one) => this.fingerprint(one))]))
    );
  }

  private fingerprint(digest: string): NamedFingerprint {
    const known = this.file.fingerprints[digest];
    if (known === undefined) throw new WeirError(`${fileOf(this.folder)} was edited: it lacks fingerprint ${digest}`);
    const index = this.indexFile(digest);
    const files = this.pending.get(digest) ?? (existsSync(index) ? linesOf(index) : undefined);
    return { ...known, ...(files && { files }) };
  }

  private refuse(changes: readonly string[]): void {
    if (changes.length === 0) return;
    if (!this.accept) throw refusal(this.folder, changes);
    this.accepting(changes.filter((change) => !this.changes.includes(change)));
    const fresh = changes.filter((change) => !this.now.accepted.includes(change));
    if (!this.changed) this.add({ ...this.now, at: new Date().toISOString(), accepted: changes });
    else if (fresh.length > 0) this.replace({ ...this.now, accepted: [...this.now.accepted, ...fresh] });
  }

  private record(network: string, taken: NetworkInputs): void {
    const inputs = digests(taken);
    if (isDeepStrictEqual(this.now.inputs[network], inputs)) return;
    const all = Object.values(taken).flat();
    for (const one of all) if (one.files !== undefined) this.pending.set(digestOf(one.facts), one.files);
    const fingerprints = Object.fromEntries(all.map(({ name, facts }) => [digestOf(facts), { name, facts }]));
    this.file = {
      ...this.file,
      fingerprints: { ...this.file.fingerprints, ...fingerprints },
    };
    this.replace({ ...this.now, inputs: { ...this.now.inputs, [network]: inputs } });
  }

  private indexFile(digest: string): string {
    return join(this.folder.path, 'inputs', `${digest}.gz`);
  }
}

const digests = (taken: NetworkInputs): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(taken).map(([node, all]) => [node, all.map(({ facts }: Fingerprint) => digestOf(facts))]),
  );

function linesOf(index: string): string[] | undefined {
  try {
    return gunzipSync(readFileSync(index)).toString().split('\n');
  } catch {
    return undefined; // it only names what differs; whether something does, the digest tells
  }
}

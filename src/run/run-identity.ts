import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { overlaps } from '../data/fingerprint.js';
import { WeirError } from '../flow/errors.js';
import type { Flow } from '../flow/flow.js';
import type { Fingerprint } from '../flow/header.js';
import { noticeOnce } from '../flow/terminal.js';
import { digestOf } from '../storage/digest.js';
import { onDisk, writeAtomically } from '../storage/disk.js';
import { version } from '../storage/file-format.js';
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
  withHistory,
} from '../storage/identity.js';
import {
  type IdentityFile,
  identityFormat,
  identityPath,
  machineChangesSince,
  moduleOf,
  readIdentityFile,
  refusal,
  startOf,
} from '../storage/identity-file.js';
import { moduleFiles } from '../storage/module-files.js';
import { RunFolder } from '../storage/run-folder.js';
import { makeFolder } from '../surroundings/folders.js';
import { processGroup } from '../tensorflow/collectives/process-group.js';
import { usefulFeatures } from '../tensorflow/install/release.js';
import { loadTensorFlow } from '../tensorflow/tf.js';
import { networksOfRun, type Pipeline, takenIn } from './pipeline.js';

/** The runtime, threads and processor of this process; loads TensorFlow first. */
export async function thisMachine(): Promise<Machine> {
  const { kind, device, version, threads } = await loadTensorFlow();
  return {
    runtime: `${kind === 'native' ? 'TensorFlow' : 'TensorFlow.js on WebAssembly'} ${version} on the ${device}`,
    threads,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    features: usefulFeatures(),
    node: process.versions.node,
    ranks: processGroup().ranks,
  };
}

/** The commit of the repository of a file, with '-dirty' where files differ from it; undefined where there is none. */
function commitOf(file: string): string | undefined {
  const asked = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
  const { status, stdout } = spawnSync('git', asked, { cwd: dirname(file), encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout.trim() : undefined;
}

export interface IdentityOptions {
  /** Where the pipeline module is now. */
  readonly module?: string | undefined;
  /** Go on although inputs differ, and record it. */
  readonly acceptChanges?: boolean | undefined;
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
  /** The same, and the machine of now, as lines for the terminal and the monitor. */
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
    const found = readIdentityFile(folder);
    const path = moduleOf(folder, options.module);
    const [commit, weirCommit] = [path, import.meta.filename].map(commitOf);
    const given = startOf(folder);
    const now: Identity = {
      at: new Date().toISOString(),
      weir: version,
      ...given,
      configDigest: digestOf(given),
      module: { path, files: await moduleFiles(path) },
      ...(commit !== undefined && { commit }),
      ...(weirCommit !== undefined && { weirCommit }),
      machine,
      inputs: {},
      accepted: (folder.started.from ?? folder.started.origin)?.accepted ?? [],
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
      const file = { format: identityFormat, fingerprints: {}, identities: [{ ...now, accepted }] };
      return new RunIdentity(folder, file, undefined, acceptChanges);
    }
    const recorded = { ...before, config: withHistory(before.config, folder.started.history) };
    const changes = [
      ...configChanges(recorded, now),
      ...moduleChanges(before.module.files, now.module.files, now.module.path),
    ];
    if (changes.length > 0 && !acceptChanges) throw refusal(folder, changes);
    const own = new RunIdentity(folder, found.file, found.text, acceptChanges);
    const moved = machineChanges(before.machine, machine);
    if (moved.length > 0) own.said.push(`this goes on with ${moved.join(', ')}: the same bits are not promised`);
    const same = configChanges(before, now).length + changes.length + moved.length === 0 && before.module.path === path;
    own.dirty = !same;
    if (!same) own.add({ ...now, inputs: before.inputs, accepted: changes });
    own.accepting(changes);
    return own;
  }

  /** What was accepted, of this folder and in all. */
  get accepted(): readonly string[] {
    return this.file.identities.flatMap(({ accepted }) => accepted);
  }

  /** How this machine differs from those that another run was computed on; nothing where that run is gone. */
  machineChangesFrom(run: string): readonly string[] {
    return existsSync(run) ? machineChangesSince(RunFolder.open(run), this.now.machine) : [];
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
  async checkInputs(pipeline: Pipeline, network: string, flow: Flow): Promise<void> {
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
    const file = identityPath(this.folder);
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
    const { config, networks } = this.folder.started;
    if (networks === undefined) return;
    const [was, is] = [networks, networksOfRun(pipeline, this.folder.started, config)].map((all) =>
      all.map(({ name }) => name).join(', '),
    );
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

  /** The inputs of a network, as they were recorded. */
  private recorded(network: string): NetworkInputs | undefined {
    const inputs = this.now.inputs[network];
    return (
      inputs &&
      Object.fromEntries(Object.entries(inputs).map(([node, all]) => [node, all.map((one) => this.fingerprint(one))]))
    );
  }

  private fingerprint(digest: string): NamedFingerprint {
    const known = this.file.fingerprints[digest];
    if (known === undefined)
      throw new WeirError(`${identityPath(this.folder)} was edited: it lacks fingerprint ${digest}`);
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
    for (const one of all) if (one.files !== undefined) this.pending.set(digestOf(one.properties), one.files);
    const fingerprints = Object.fromEntries(
      all.map(({ name, properties }) => [digestOf(properties), { name, properties }]),
    );
    this.file = { ...this.file, fingerprints: { ...this.file.fingerprints, ...fingerprints } };
    this.replace({ ...this.now, inputs: { ...this.now.inputs, [network]: inputs } });
  }

  private indexFile(digest: string): string {
    return join(this.folder.path, 'inputs', `${digest}.gz`);
  }
}

const digests = (taken: NetworkInputs): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(taken).map(([node, all]) => [node, all.map(({ properties }: Fingerprint) => digestOf(properties))]),
  );

function linesOf(index: string): string[] | undefined {
  try {
    return gunzipSync(readFileSync(index)).toString().split('\n');
  } catch {
    return undefined; // it only names what differs; whether something does, the digest tells
  }
}

import { isDeepStrictEqual } from 'node:util';
import { WeirError } from '../flow/errors.js';
import { Flow } from '../flow/flow.js';
import { lockFolder } from '../storage/lock.js';
import type { LogMark } from '../storage/metric-log.js';
import { type ConfigChange, plannedNetworks, type RunConfig, RunFolder } from '../storage/run-folder.js';
import { done, type RunState, unfinishedNetworks } from '../storage/run-state.js';
import { changeOf, resolveConfig } from './config.js';
import type { Fork } from './fork.js';
import { endingOf, epochOf, hasBegun } from './fork-origin.js';
import { updateLabel } from './network-snapshots.js';
import { type Network, networksOfRun, type Pipeline } from './pipeline.js';
import { weightOwner } from './weights.js';

/** A change of the config of a run that goes on. Nothing of it is written yet. */
export interface PlannedChange {
  readonly folder: RunFolder;
  readonly config: RunConfig['config'];
  readonly networks: readonly Network[];
  readonly set: ConfigChange['set'];
  /** The newest snapshot of each network that has begun. */
  readonly newest: ReadonlyMap<string, Head>;
}

/** What the head of a snapshot says of its network. */
interface Head {
  readonly path: string;
  readonly sequence: number;
  readonly label: string;
  readonly pinned: boolean;
  readonly updates: number;
  readonly epoch: number;
  readonly logged: LogMark;
  /** Whether all work on the newest update was done. */
  readonly whole: boolean;
}

/**
 * Plans a change of a run's config.
 *
 * @param settings `key=value` each @param source how they were given, for error messages
 * @returns undefined where they change nothing
 * @throws {WeirError} for a key that may not change, or not to this value; where the newest snapshot lies within a measurement; for a
 * finished run that would have nothing to do
 */
export function planChange(
  folder: RunFolder,
  pipeline: Pipeline,
  settings: readonly string[],
  source = '--set',
): PlannedChange | undefined {
  const { config: before, networks: listed = [], from } = folder.started;
  const resolved = resolveConfig(pipeline.config, pipeline.profiles, settings, {
    before,
    source,
    rules: pipeline.rules ?? [],
  });
  const config = JSON.parse(JSON.stringify(resolved)) as RunConfig['config'];
  const keys = Object.keys(config).filter((key) => !isDeepStrictEqual(config[key], before[key]));
  if (keys.length === 0) return undefined;
  if (from !== undefined) {
    throw new WeirError(
      `the networks of ${folder.shown} were trained by another run, and are measured as they are`,
      `measure them with other settings by \`weir attack ${from.run}\``,
    );
  }
  const newest = headsOf(folder);
  const networks = networksOfRun(pipeline, folder.started, config);
  const start = { folder, config, networks, newest };
  for (const key of keys) checkKey(start, pipeline, { key, was: before[key], is: config[key] });
  if (String(networks.map(({ name }) => name)) !== String(listed.map(({ name }) => name))) {
    throw new WeirError(
      `these settings change which networks ${folder.shown} trains`,
      'start another run with `weir run`',
    );
  }
  for (const [name, { whole, updates }] of newest) {
    if (whole) continue;
    throw new WeirError(
      `network '${name}' of ${folder.shown} is within a measurement of update ${updates}, begun with the old settings`,
      `let it go on by \`weir resume ${folder.shown}\` first, and stop it in training; or use \`weir fork\``,
    );
  }
  const set = Object.fromEntries(keys.map((key) => [key, { was: before[key] ?? null, is: config[key] ?? null }]));
  const change = { ...start, set };
  if (unfinishedNetworks(folder).length === 0 && longer(change).length === 0) {
    throw new WeirError(
      `${folder.shown} is finished, and ${keys.join(', ')} would change nothing of what it did`,
      `set more epochs; or measure its networks again by \`weir attack ${folder.shown}\``,
    );
  }
  return change;
}

function checkKey(
  planned: Omit<PlannedChange, 'set'>,
  pipeline: Pipeline,
  { key, was, is }: { readonly key: string; readonly was: unknown; readonly is: unknown },
): void {
  const { folder } = planned;
  const change = changeOf(pipeline.config[key]);
  if (change === 'any') return;
  if (change === 'grows' && typeof was === 'number' && typeof is === 'number' && is > was) return;
  const [shownWas, shownIs] = [was, is].map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const able = Object.keys(pipeline.config).filter((one) => changeOf(pipeline.config[one]) !== undefined);
  const another = otherRun(planned, `${key}=${shownIs}`);
  throw new WeirError(
    change === 'grows'
      ? `${key} of ${folder.shown} may only grow, and is to become ${shownIs} after ${shownWas}`
      : `${key} of ${folder.shown} is ${shownWas}, and cannot become ${shownIs} within a run`,
    `${another}; within a run may change ${able.join(', ') || 'no key of this pipeline'}`,
  );
}

/** The command that makes another run with a setting: a fork, where the training goes on behind its update. */
function otherRun({ folder, config, networks, newest }: Omit<PlannedChange, 'set'>, setting: string): string {
  const { module, seed } = folder.started;
  const over = plannedNetworks(networks, config).some(
    ({ name, epochs = Number.POSITIVE_INFINITY }) => (newest.get(name)?.epoch ?? 0) > epochs,
  );
  const heads = [...newest];
  const early = heads.flatMap(([name]) => endingOf(folder, name)?.number ?? []);
  const ends = [...early, ...heads.flatMap(([, { label, updates }]) => (label === done ? [updates] : []))];
  const at = Math.min(Math.max(1, ...heads.map(([, { updates }]) => updates)), ...ends.map((end) => end - 1));
  return over || at === 0
    ? `\`weir run ${module} --seed ${seed} --set ${setting}\`, with its other settings, makes another run`
    : `\`weir fork ${folder.shown} --at ${at} --set ${setting}\` makes another run of it`;
}

function headsOf(folder: RunFolder): Map<string, Head> {
  const heads = (folder.started.networks ?? []).flatMap(({ name }) => {
    const head = folder.snapshots(name).newestHead();
    if (head === undefined) return [];
    const { path, sequence, label, pinned, data, about } = head;
    const state = data as unknown as RunState;
    const owner = weightOwner(state) as Partial<Record<'number' | 'epoch', number>> | undefined;
    return [
      [
        name,
        {
          path,
          sequence,
          label,
          pinned,
          updates: owner?.number ?? 0,
          epoch: owner?.epoch ?? 0,
          logged: state.logged,
          whole: about.whole === true,
        },
      ] as const,
    ];
  });
  return new Map(heads);
}

/** The names of the networks that are to be trained for more epochs. */
function longer({ folder, config, networks }: PlannedChange): string[] {
  const before = new Map((folder.started.networks ?? []).map(({ name, epochs = 0 }) => [name, epochs]));
  return plannedNetworks(networks, config).flatMap(({ name, epochs = 0 }) =>
    epochs > (before.get(name) ?? 0) ? [name] : [],
  );
}

/**
 * Checks that the updates which were made would have been the same under the new config: that no learning rate depends on what changes.
 * Needs TensorFlow.
 *
 * @throws {WeirError} that names the schedule, and the first epoch in which it differs
 */
export async function checkSchedules(pipeline: Pipeline, { folder, config, networks, set, newest }: PlannedChange) {
  const { config: before } = folder.started;
  for (const was of networksOfRun(pipeline, folder.started, before)) {
    const { epoch: epochs = 0, updates = 0 } = newest.get(was.name) ?? {};
    const is = networks.find(({ name }) => name === was.name)!;
    const [old, fresh] = [await settingsOf(pipeline, before, was), await settingsOf(pipeline, config, is)];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const at = { epoch, number: Math.ceil((updates * epoch) / epochs) };
      const [one, other] = [old?.(at) ?? {}, fresh?.(at) ?? {}];
      const odd = Object.keys(one).find((name) => !isDeepStrictEqual(one[name], other[name]));
      if (odd === undefined) continue;
      const setting = Object.entries(set).map(([key, { is }]) => `${key}=${JSON.stringify(is)}`);
      throw new WeirError(
        `the ${odd} of epoch ${epoch} was ${one[odd]}, and with ${setting.join(', ')} would have been ${other[odd]}: its schedule depends on what changes`,
        `\`weir fork ${folder.shown} --at ${Math.max(1, updates)} --set ${setting.join(' --set ')}\` takes up the new schedule from there, in another run`,
      );
    }
  }
}

/** What a fork does to settings that follow a schedule, a line for each: a rate may jump where the schedule is another. Needs TensorFlow. */
export async function scheduleLines(pipeline: Pipeline, { origin, config, seed, networks }: Fork): Promise<string[]> {
  const source = RunFolder.open(origin.run);
  const lines = new Set<string>();
  for (const network of networks) {
    const { name } = network;
    const was = pipeline.networks(origin.config, seed).find((one) => one.name === name);
    if (was === undefined || origin.ended?.[name] !== undefined || !hasBegun(source, name, origin.at)) continue;
    const [old, fresh] = [await settingsOf(pipeline, origin.config, was), await settingsOf(pipeline, config, network)];
    const [last, next] = [origin.at, origin.at + 1].map((number) => ({ number, epoch: epochOf(source, name, number) }));
    const [before, instead, after] = [old?.(last!) ?? {}, old?.(next!) ?? {}, fresh?.(next!) ?? {}];
    for (const [setting, value] of Object.entries(after)) {
      if (isDeepStrictEqual(value, instead[setting])) continue;
      lines.add(
        `the ${setting} of update ${next!.number} is ${value}; that of update ${last!.number} was ${before[setting]}`,
      );
    }
  }
  return [...lines];
}

async function settingsOf(pipeline: Pipeline, config: RunConfig['config'], network: Network) {
  const flow = new Flow(await pipeline.wire({ config, network, seed: network.seed }));
  flow.close();
  return flow.nodes.find(({ kind }) => kind === 'serial')?.settingsAt;
}

/**
 * Changes the config of a run, and records it in its history. The snapshots at which the change begins are pinned, as `at-UPDATE`; networks
 * that are to be trained longer are finished no more.
 *
 * @throws {WeirError} where another process works on the run
 */
export function changeConfig(change: PlannedChange, dead: readonly string[] = []): RunFolder {
  const { folder, config, networks, set, newest } = change;
  const lock = lockFolder(folder.path, { dead });
  try {
    const goOn = longer(change);
    for (const [name, head] of newest) {
      const ends = head.label === done;
      if (ends ? goOn.includes(name) : !head.pinned) folder.snapshots(name).pin(head, updateLabel(head.updates));
    }
    const entry: ConfigChange = {
      at: new Date().toISOString(),
      set,
      updates: Object.fromEntries([...newest].map(([name, { updates }]) => [name, updates])),
      logged: [...newest.values()].reduce<LogMark>(
        (furthest, { logged }) => (logged.bytes > furthest.bytes ? logged : furthest),
        folder.started.from?.logged ?? { bytes: 0 },
      ),
    };
    // After the pins: a run that is killed in between finishes its networks once more, under its old config.
    return folder.changed({
      config,
      networks: plannedNetworks(networks, config),
      history: [...(folder.started.history ?? []), entry],
    });
  } finally {
    lock.release();
  }
}

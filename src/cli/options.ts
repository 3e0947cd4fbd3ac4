import { InvalidArgumentError, Option } from 'commander';
import { policyOf } from '../monitor/tap-format.js';

/** Gathers an option that may be given again. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value];

const whole = (value: string): number => {
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))) {
    throw new InvalidArgumentError('it must be a whole number from 0 to 2^53 - 1');
  }
  return Number(value);
};

export const count = (value: string): number => {
  if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError('it must be a whole number from 1 on');
  return Number(value);
};

export const positive = (value: string): number => {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError('it must be a number above 0');
  return number;
};

const policy = (value: string): string => {
  if (policyOf(value) === undefined)
    throw new InvalidArgumentError('it is latest, sample:EVERY or buffer:SIZE, from 1 to 10000');
  return value;
};

/** Options that several commands share. */
export const setOption = (): Option =>
  new Option('--set <key=value>', 'change a key of the pipeline’s config; may be given again')
    .argParser(collect)
    .default([], 'none');
export const seedOption = (): Option =>
  new Option('--seed <n>', 'seed of data order, augmentation, weights and attack').argParser(whole).default(0);
export const folderOption = (): Option =>
  new Option('--run <folder>', 'folder of the run (default: a new one under runs/)');
export const snapshotOptions = (): Option[] => [
  new Option('--snapshot-every <seconds>', 'time from one snapshot to the next').argParser(positive).default(60),
  new Option('--snapshot-updates <n>', 'updates from one snapshot to the next, besides').argParser(count),
  new Option('--snapshot-epochs <n>', 'epochs from one snapshot to the next, besides').argParser(count),
  new Option('--snapshot-keep <n>', 'how many of these to keep').argParser(count).default(3),
  new Option('--on-snapshot-error <what>', 'when a snapshot cannot be written')
    .choices(['stop', 'warn'])
    .default('stop'),
];
export const countOption = (flags: string, what: string): Option => new Option(flags, what).argParser(count);
export const policyOption = (of = ''): Option =>
  new Option(
    '--policy <policy>',
    `${of}what is kept while nobody reads: latest, sample:EVERY or buffer:SIZE`,
  ).argParser(policy);
export const rateOption = (of = ''): Option =>
  new Option('--rate <n>', `${of}items a second at most`).argParser(positive);
export const itemsOption = (): Option => new Option('--items <n>', 'how many items').argParser(count).default(10);

/** A port, of the text of an option. */
export const port = (value: string): number => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 65_535)
    throw new InvalidArgumentError('it must be a port, or 0 for a free one; without one, let --monitor stand last');
  return number;
};

export const monitorOptions = (): Option[] => [
  new Option('--monitor [port]', 'show the run on a page, and print its address').argParser(port),
  new Option(
    '--monitor-address <address>',
    'let other machines see it too: a token is needed then, and nothing is encrypted',
  ),
];

/** What a run that goes on in this terminal can be told. */
export const runningOptions = (): Option[] => [
  ...snapshotOptions(),
  ...monitorOptions(),
  readAllOption(),
  new Option('--no-control', 'open no socket: the run can be neither tapped nor watched from outside').conflicts([
    'monitor',
    'monitorAddress',
  ]),
];

export interface RunningSettings extends SnapshotSettings, ChangeSettings {
  readonly monitor?: number | true;
  readonly monitorAddress?: string;
  readonly control: boolean;
  readonly takeOver?: readonly string[];
}

/** Of a command that takes up a run: what becomes of data, code and config that are not what they were. */
export const acceptOption = (): Option =>
  new Option('--accept-changes', 'go on although data, module or config are not what they were; it is recorded');
export const readAllOption = (): Option =>
  new Option(
    '--read-all',
    'read every file of a data set again, whatever its size and times say, and every record of a pack',
  );
export const moduleOption = (): Option =>
  new Option('--module <path>', 'where the pipeline module is now, where it was moved');

/** What these give. */
export interface ChangeSettings {
  readonly acceptChanges?: boolean;
  readonly readAll?: boolean;
  readonly module?: string;
}

/** What `snapshotOptions` give. */
export interface SnapshotSettings {
  readonly snapshotEvery: number;
  readonly snapshotUpdates?: number;
  readonly snapshotEpochs?: number;
  readonly snapshotKeep: number;
  readonly onSnapshotError: 'stop' | 'warn';
}

/** Who else is known to be dead, where the lock of a run's folder cannot tell. */
export const takeOverOption = (): Option =>
  new Option(
    '--take-over <pid@host@start>',
    'the process of another machine or container that a folder is in use by is dead: go on in its place; may be given again',
  )
    .argParser(collect)
    .default([], 'none');

/** What runs the jobs of a sweep. */
export const executorOptions = (): Option[] => [
  new Option(
    '--executor <which>',
    'processes of this machine, or Slurm (default: as it was begun, else local)',
  ).choices(['local', 'slurm']),
  new Option('--slurm-option <option>', 'handed to sbatch; may be given again').argParser(collect).default([], 'none'),
];

/** The options of snapshots, as `weir resume` takes them. */
export function resumeOptions(
  settings: SnapshotSettings & ChangeSettings & { readonly takeOver?: readonly string[] },
): string[] {
  const given: readonly (readonly [string, unknown])[] = [
    ['--snapshot-every', settings.snapshotEvery],
    ['--snapshot-updates', settings.snapshotUpdates],
    ['--snapshot-epochs', settings.snapshotEpochs],
    ['--snapshot-keep', settings.snapshotKeep],
    ['--on-snapshot-error', settings.onSnapshotError],
    ...(settings.takeOver ?? []).map((mark) => ['--take-over', mark] as const),
  ];
  const options = given.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
  return settings.acceptChanges ? [...options, '--accept-changes'] : options;
}

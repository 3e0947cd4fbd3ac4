import { type Command, InvalidArgumentError, Option } from 'commander';
import { toError } from '../flow/terminal.js';
import { policyOf } from '../monitor/taps.js';

/** Collects the values of an option that may be repeated. */
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

/** Collects the settings of `--set`. Of two of one key the last holds, so that a script may end with its own; that is said. */
function collectSettings(value: string, before: readonly string[]): string[] {
  const key = value.split('=', 1)[0]!;
  const twin = before.find((one) => one.split('=', 1)[0] === key);
  if (twin !== undefined) toError(`--set ${value} takes the place of --set ${twin}\n`);
  return [...before.filter((one) => one !== twin), value];
}

/** A command with these options. */
export const withOptions = (command: Command, ...options: readonly Option[]): Command =>
  options.reduce((one, option) => one.addOption(option), command);

/** Options that several commands share. */
export const setOption = (): Option =>
  new Option('--set <key=value>', 'change a key of the pipeline’s config; may be repeated')
    .argParser(collectSettings)
    .default([], 'none');
/** The help of a command with `--set`, after its example. */
export const settingsHelp = `

Values of --set:
  A key's own type decides how its text is read: a number, true or false, or a word. A list is written
  with commas: --set regularizers=none,rep-spectral. profile=NAME picks a set of values, which other settings
  override. \`weir run MODULE --keys\` lists the keys with their types, defaults and profiles.`;
export const seedOption = (): Option =>
  new Option('--seed <n>', 'seed of data order, augmentation, weights and attack').argParser(whole).default(0);
export const folderOption = (): Option =>
  new Option('--run <folder>', 'folder of the run (default: a new one under runs/)');
export const snapshotOptions = (): Option[] => [
  new Option('--snapshot-every <seconds>', 'time from one snapshot to the next').argParser(positive).default(60),
  new Option('--snapshot-updates <n>', 'a snapshot after every so many updates, too').argParser(count),
  new Option('--snapshot-epochs <n>', 'a snapshot after every so many epochs, too').argParser(count),
  new Option('--snapshot-keep <n>', 'how many of these snapshots to keep').argParser(count).default(3),
  new Option('--on-snapshot-error <what>', 'what to do where a snapshot cannot be written')
    .choices(['stop', 'warn'])
    .default('stop'),
];
export const countOption = (flags: string, what: string): Option => new Option(flags, what).argParser(count);
export const policyOption = (of = ''): Option =>
  new Option(
    '--policy <policy>',
    `${of}which items are kept between two reads: latest, sample:EVERY or buffer:SIZE`,
  ).argParser(policy);
export const rateOption = (of = ''): Option =>
  new Option('--rate <n>', `${of}items a second at most`).argParser(positive);
export const itemsOption = (): Option => new Option('--items <n>', 'how many items').argParser(count).default(10);

/** The port in the text of an option. */
export const port = (value: string): number => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 65_535)
    throw new InvalidArgumentError('it must be a port, or 0 for a free one; without a port, put --monitor last');
  return number;
};

export const monitorOptions = (): Option[] => [
  new Option('--monitor [port]', 'show the run on a page, and print its address').argParser(port),
  new Option(
    '--monitor-address <address>',
    'let other machines see the page too: it then asks for a token, and nothing is encrypted',
  ),
];

/** Options of every command that runs in this terminal. */
export const runningOptions = (): Option[] => [
  ...snapshotOptions(),
  ...monitorOptions(),
  readAllOption(),
  new Option('--no-control', 'open no socket: the run can be neither tapped nor watched').conflicts([
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

/** Options of a command that goes on with a run whose data, code or config may have changed. */
export const acceptOption = (): Option =>
  new Option('--accept-changes', 'go on although data, module or config have changed; the changes are recorded');
export const readAllOption = (): Option =>
  new Option(
    '--read-all',
    'read every file of a data set again, though its size and times are unchanged, and every record of a pack',
  );
/** Options of a command that takes weights out of a run. */
export const weightsOptions = (): Option[] => [
  new Option(
    '--snapshot <which>',
    'weights of another snapshot than the last: `best` of those that keepBest keeps, an update, or the name of a kept one',
  ),
  new Option('--averaged', 'weights averaged over the updates, where the optimizer keeps their averages (ema)'),
];

/** The values of `weightsOptions`. */
export interface WeightsSettings {
  readonly snapshot?: string;
  readonly averaged?: true;
}

export const moduleOption = (): Option =>
  new Option('--module <path>', 'the path of the pipeline module, if it was moved');

/** The values of these options. */
export interface ChangeSettings {
  readonly acceptChanges?: boolean;
  readonly readAll?: boolean;
  readonly module?: string;
}

/** The values of `snapshotOptions`. */
export interface SnapshotSettings {
  readonly snapshotEvery: number;
  readonly snapshotUpdates?: number;
  readonly snapshotEpochs?: number;
  readonly snapshotKeep: number;
  readonly onSnapshotError: 'stop' | 'warn';
}

/** Names a dead process, where the lock of a run's folder cannot tell whether it lives. */
export const takeOverOption = (): Option =>
  new Option(
    '--take-over <pid@host@start>',
    'take over the folder of this dead process of another machine or container; may be repeated',
  )
    .argParser(collect)
    .default([], 'none');

/** Options for the executor of a sweep. */
export const executorOptions = (): Option[] => [
  new Option(
    '--executor <which>',
    'run jobs as processes of this machine, or under Slurm (default: as before, or local)',
  ).choices(['local', 'slurm']),
  new Option('--slurm-option <option>', 'an option for sbatch; may be repeated').argParser(collect).default([], 'none'),
];

/** These settings as options of `weir resume`. */
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

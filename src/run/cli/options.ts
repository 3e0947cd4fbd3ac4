import { InvalidArgumentError, Option } from 'commander';

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

const whole = (value: string): number => {
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))) {
    throw new InvalidArgumentError('it must be a whole number from 0 to 2^53 - 1');
  }
  return Number(value);
};

const count = (value: string): number => {
  if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError('it must be a whole number from 1 on');
  return Number(value);
};

const positive = (value: string): number => {
  const number = Number(value);
  if (!(number > 0)) throw new InvalidArgumentError('it must be a number above 0');
  return number;
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
export const itemsOption = (): Option => new Option('--items <n>', 'how many items').argParser(count).default(10);

/** What `snapshotOptions` give. */
export interface SnapshotSettings {
  readonly snapshotEvery: number;
  readonly snapshotUpdates?: number;
  readonly snapshotEpochs?: number;
  readonly snapshotKeep: number;
  readonly onSnapshotError: 'stop' | 'warn';
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { WeirError } from '../flow/errors.js';
import { suggestion } from '../flow/options.js';
import { decides } from './results.js';
import { type Experiment, type Study, settingsOf } from './study.js';

/** An experiment as it is to be run. */
export interface ScaledExperiment {
  readonly name: string;
  readonly experiment: Experiment;
  readonly settings: readonly string[];
  readonly seeds: number;
  /** `key=value` of every job, folders of data included. */
  readonly set: readonly string[];
  /** In what it is not the paper's protocol: 'width=16', 'attacked=12 for 1000', '3 seeds for 10'. */
  readonly apart: readonly string[];
  /** Whether the profile leaves it out. */
  readonly isLeftOut: boolean;
  /** Why it cannot be run; left out where it can. */
  readonly lacking?: string;
}

/** A study as it is to be run. */
export interface ScaledStudy {
  readonly study: Study;
  /** '' for the study's own scale. */
  readonly profile: string;
  readonly experiments: readonly ScaledExperiment[];
}

/**
 * The experiments of a study with what `--set` says of them: `profile=NAME` a scale, `NAME=FOLDER` a data set, `seeds=N` fewer seeds of
 * each, `EXPERIMENT.KEY=VALUE` a key of an experiment's pipeline.
 *
 * @throws {WeirError} names what there is not, and the nearest that there is
 */
export function scaled(study: Study, set: readonly string[]): ScaledStudy {
  const given = byKey(set);
  const names = Object.keys(study.experiments);
  const keys = ['profile', 'seeds', ...Object.keys(study.data)];
  for (const key of given.keys()) {
    const [name = '', own] = key.split('.');
    if (own !== undefined ? names.includes(name) : keys.includes(key)) continue;
    const all = [...keys, ...names.map((one) => `${one}.KEY`)];
    throw new WeirError(
      `study '${study.name}' has nothing to set by '${key}'`,
      suggestion(key, all, `there are ${all.join(', ')}`),
    );
  }
  const profile = given.get('profile') ?? '';
  const profiles = Object.keys(study.profiles);
  if (profile !== '' && !profiles.includes(profile))
    throw new WeirError(
      `study '${study.name}' has no profile '${profile}'`,
      suggestion(profile, profiles, `there are ${profiles.join(', ')}`),
    );
  const most = seedsIn(given.get('seeds'));
  const scales = profile === '' ? undefined : study.profiles[profile]!;
  const experiments = Object.entries(study.experiments).map(([name, experiment]): ScaledExperiment => {
    const scale = scales?.[name];
    const own = [...given].flatMap(([key, value]) =>
      key.startsWith(`${name}.`) ? [`${key.slice(name.length + 1)}=${value}`] : [],
    );
    const folders = Object.entries(experiment.data ?? {}).map(([key, data]) => ({
      key,
      data,
      ...folderOf(study, data, given.get(data)),
    }));
    const settings = scale?.settings ?? settingsOf(experiment);
    const seeds = Math.min(most, scale?.seeds ?? experiment.seeds);
    const fixed = scale?.set ?? experiment.set ?? [];
    const isLeftOut = scales !== undefined && scale === undefined;
    const standIns = folders.flatMap(({ key, data, folder }) =>
      folder !== '' && folder === study.data[data]!.default ? [`${key}=${folder}`] : [],
    );
    const lacking =
      folders.find((one) => one.lacking !== undefined)?.lacking ??
      (isLeftOut ? `profile ${profile} leaves it out` : undefined);
    return {
      name,
      experiment,
      settings,
      seeds,
      isLeftOut,
      set: [...fixed, ...folders.map(({ key, folder }) => `${key}=${folder}`), ...own],
      apart: isLeftOut ? [] : [...standIns, ...apartFrom(study, name, { values: [...fixed, ...own], settings, seeds })],
      ...(lacking !== undefined && { lacking }),
    };
  });
  return { study, profile, experiments: withoutFirst(experiments) };
}

/** Whether the words of a study are a rehearsal: by a profile that is neither its own scale nor the paper's protocol. */
export const isRehearsal = ({ study, profile }: Pick<ScaledStudy, 'study' | 'profile'>): boolean =>
  profile !== '' && profile !== study.protocol;

/** In what an experiment differs from the paper's protocol, which leaves keys that it does not name as the pipeline has them. */
function apartFrom(
  { protocol = '', profiles, experiments }: Study,
  name: string,
  { values, settings, seeds }: { readonly values: readonly string[] } & Pick<ScaledExperiment, 'settings' | 'seeds'>,
): string[] {
  const experiment = experiments[name]!;
  const paper = profiles[protocol]?.[name];
  const [own, wanted] = [byKey(values), byKey(paper?.set ?? experiment.set ?? [])];
  const keys = [...new Set([...own.keys(), ...wanted.keys()])].filter((key) => decides(key));
  const all = paper?.settings ?? settingsOf(experiment);
  const most = paper?.seeds ?? experiment.seeds;
  return [
    ...keys.flatMap((key) => {
      const [is, should] = [own.get(key), wanted.get(key)];
      if (is === should) return [];
      return `${key}${is === undefined ? ' as the pipeline has it' : `=${is}`}${should === undefined ? '' : ` for ${should}`}`;
    }),
    ...(seeds < most ? [`${seeds} seed${seeds === 1 ? '' : 's'} for ${most}`] : []),
    ...(settings.length < all.length ? [`${settings.length} of ${all.length} settings`] : []),
  ];
}

/** Values by key; of a key that is there twice the last. */
const byKey = (values: readonly string[]): ReadonlyMap<string, string> =>
  new Map(values.map((one) => [one.split('=', 1)[0]!, one.slice(one.indexOf('=') + 1)] as const));

/** The folder of a data set: the given one, or the default. */
function folderOf(
  study: Study,
  name: string,
  given: string | undefined,
): { readonly folder: string; readonly lacking?: string } {
  const { describe, default: usual } = study.data[name]!;
  const folder = given ?? usual;
  if (folder === undefined) return { folder: '', lacking: `no data: give --set ${name}=FOLDER (${describe})` };
  if (folder === usual) return { folder };
  if (!existsSync(folder)) throw new WeirError(`--set ${name}=${folder}: there is no such folder`, describe);
  return { folder: resolve(folder) };
}

function seedsIn(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new WeirError(
    `--set seeds=${text}: it must be a whole number from 1 on`,
    'it is how many seeds of each experiment are run at most',
  );
}

/** An experiment that builds upon one that cannot be run cannot be run either. */
function withoutFirst(all: readonly ScaledExperiment[]): ScaledExperiment[] {
  return all.map((one) => {
    const { after } = one.experiment;
    const first = all.find(({ name }) => name === after);
    return one.lacking === undefined && first?.lacking !== undefined ? { ...one, lacking: first.lacking } : one;
  });
}

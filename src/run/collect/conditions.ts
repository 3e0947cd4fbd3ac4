import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Condition, Differences } from '../../measure/networks/record.js';
import { digestOf } from '../../storage/digest.js';
import { newestIdentity } from '../../storage/identity-file.js';
import { comparedConfig, RunFolder } from '../../storage/run-folder.js';
import { pickWords } from '../weights.js';

/** Which runs were made alike, for a report over them: nothing but the seed makes a repetition. */
export interface Conditions {
  /** What a run's networks are told from those of others by; '' where all runs of its pipeline are alike. */
  settingOf(folder: RunFolder): string;
  readonly differences: readonly Differences[];
  /** What cannot be told from the folders, a sentence each. */
  readonly notes: readonly string[];
}

/** Keys that say which networks a run trains, not what each of them is; and that of a profile, whose values are keys themselves. */
const LISTING = ['seeds', 'regularizers', 'profile'];

const NAMED = 4; // keys that a setting is called by; of more the table tells, and settings are counted

const DEEPEST = 4; // runs that a run may be started from, one after another

/** What a run was made with, seed and listing left out, as text by name. */
type Provenance = ReadonlyMap<string, string>;

interface Class {
  readonly provenance: Provenance;
  readonly folders: RunFolder[];
}

/**
 * Puts runs together that differ in nothing but their seed: by config, pipeline module, data and ranks, as far as their folders say.
 * A setting keeps the name that a sweep or a reproduction gave it, unless runs of that name differ all the same.
 */
export function conditionsOf(folders: readonly RunFolder[]): Conditions {
  const settings = new Map<RunFolder, string>();
  const differences: Differences[] = [];
  const notes: string[] = [];
  for (const pipeline of new Set(folders.map(({ started }) => started.pipeline))) {
    const own = folders.filter(({ started }) => started.pipeline === pipeline);
    const classes = classesOf(own);
    const keys = varying(classes.map(({ provenance }) => provenance));
    const names = namesOf(classes, keys);
    classes.forEach(({ folders }, i) => {
      for (const folder of folders) settings.set(folder, names[i]!);
    });
    if (keys.length > 0)
      differences.push({ pipeline, keys, conditions: classes.map((one, i) => row(one, keys, names[i]!)) });
    notes.push(...seedsApart(classes.flatMap(({ folders }, i) => (differInData(folders) ? [names[i]!] : []))));
  }
  return { settingOf: (folder) => settings.get(folder) ?? '', differences, notes };
}

function classesOf(folders: readonly RunFolder[]): Class[] {
  const all = folders.map((folder) => ({ folder, provenance: provenanceOf(folder), data: dataOf(folder) }));
  const met = new Map<string, Set<string>>();
  const at = (provenance: Provenance, what: string): string => JSON.stringify([[...provenance], what]);
  for (const { provenance, data } of all) {
    for (const [what, digest] of data)
      met.set(at(provenance, what), (met.get(at(provenance, what)) ?? new Set()).add(digest));
  }
  const apart = new Set(
    all
      .filter(({ provenance, data }) => [...data.keys()].some((what) => met.get(at(provenance, what))!.size > 1))
      .map(({ provenance }) => at(provenance, '')),
  );
  const classes = new Map<string, Class>();
  for (const { folder, provenance, data } of all) {
    const whole = apart.has(at(provenance, ''))
      ? new Map([...provenance, ['data', short(digestOf([...data].sort()))]])
      : provenance;
    const known = classes.get(at(whole, ''));
    if (known === undefined) classes.set(at(whole, ''), { provenance: whole, folders: [folder] });
    else known.folders.push(folder);
  }
  return [...classes.values()];
}

/** Config, module and ranks of a run. What it was started from counts by its own provenance, not by where it lies. */
function provenanceOf(folder: RunFolder, depth = 0): Provenance {
  const { from, origin, ranks } = folder.started;
  const config = comparedConfig(folder.started);
  const provenance = new Map<string, string>();
  for (const key of Object.keys(config).sort()) {
    if (LISTING.includes(key)) continue;
    const value = config[key];
    const source = depth < DEEPEST && typeof value === 'string' ? runIn(value) : undefined;
    if (source === undefined) provenance.set(key, shown(value));
    else for (const [name, value] of provenanceOf(source, depth + 1)) provenance.set(`${key}.${name}`, value);
  }
  const files = newestIdentity(folder)?.identity.module.files;
  if (files !== undefined) provenance.set('module', short(digestOf(files)));
  if (origin !== undefined) provenance.set('origin', `update ${origin.at} of ${basename(origin.run)}`);
  if (from?.taken !== undefined) provenance.set('weights', pickWords(from.taken));
  if (ranks?.batchNorm === 'local' && ranks.count > 1)
    provenance.set('ranks', `${ranks.count}, batch norm of each alone`);
  return provenance;
}

/**
 * Digests of a run's data: for each network and seed of all that they are, for each network of their sizes and classes. Only where the
 * seed is the same can other values be held against a run, for a seed may draw them.
 */
function dataOf(folder: RunFolder): Map<string, string> {
  const found = newestIdentity(folder);
  const data = new Map<string, string>();
  for (const [network, nodes] of Object.entries(found?.identity.inputs ?? {})) {
    const digests = Object.values(nodes).flat();
    const sets = digests.flatMap((digest) => {
      const { samples, shape, classes = [] } = found!.fingerprints[digest]?.properties ?? {};
      return samples === undefined ? [] : [{ digest, size: { samples, shape, classes } }];
    });
    const name = baseName(network, seedIn(network) ?? folder.started.seed);
    const seed = seedIn(network) ?? folder.started.seed;
    data.set(`${name}, any seed`, digestOf(sets.map(({ size }) => digestOf(size)).sort()));
    data.set(`${name}, seed ${seed}`, digestOf(sets.map(({ digest }) => digest).sort()));
  }
  return data;
}

/** The names that tell the classes apart: their values differ. */
function varying(all: readonly Provenance[]): string[] {
  const names = [...new Set(all.flatMap((provenance) => [...provenance.keys()]))];
  return names.filter((name) => new Set(all.map((provenance) => provenance.get(name))).size > 1);
}

/** A name for each class: the setting that its runs were given where that is its own, else by what differs. */
function namesOf(classes: readonly Class[], keys: readonly string[]): string[] {
  const given = classes.map(({ folders }) => {
    const settings = new Set(folders.map(({ started }) => started.setting ?? ''));
    return settings.size === 1 ? [...settings][0]! : '';
  });
  return classes.map(({ provenance }, i) => {
    const name = given[i]!;
    const alike = classes.filter((_, j) => given[j] === name);
    if (classes.length === 1 || (name !== '' && alike.length === 1)) return name;
    const own = alike.length === 1 ? keys : varying(alike.map((one) => one.provenance));
    const said = own.map((key) => (provenance.has(key) ? `${key}=${provenance.get(key)}` : `no ${key}`));
    const what = said.length > NAMED ? `setting ${i + 1}` : said.join(', ');
    return name === '' ? what : `${name}, ${what}`;
  });
}

function row({ provenance, folders }: Class, keys: readonly string[], setting: string): Condition {
  return {
    setting,
    values: keys.map((key) => provenance.get(key) ?? null),
    runs: folders.map((folder) => folder.shown),
  };
}

/** Whether the data of runs of several seeds differ by more than their folders can explain. */
function differInData(folders: readonly RunFolder[]): boolean {
  const all = folders.map(dataOf);
  const names = new Set(all.flatMap((data) => [...data.keys()].filter((what) => !what.endsWith(', any seed'))));
  const digests = new Set(all.flatMap((data) => [...names].flatMap((name) => data.get(name) ?? [])));
  return folders.length > 1 && digests.size > 1;
}

/** A sentence on the settings whose runs do so. */
function seedsApart(settings: readonly string[]): string[] {
  if (settings.length === 0) return [];
  const [first, ...others] = settings;
  const more = others.length > 1 ? [`${others.length} other settings`] : others;
  const where = first === '' && others.length === 0 ? '' : ` (${[first || 'otherwise', ...more].join(', ')})`;
  return [
    `The data differ from run to run${where}, as they do where a seed draws them. Where it does not, these runs are no repetitions of each other.`,
  ];
}

/** A network's name without its seed: 'rep-spectral' of 'rep-spectral-s3'. Networks of one base name are repetitions. */
export const baseName = (name: string, seed: number): string =>
  name.replace(new RegExp(`(?:-s?|-?seed-?)${seed}$`), '');

const seedIn = (name: string): number | undefined => {
  const found = /-s(\d+)$/.exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
};

const runIn = (path: string): RunFolder | undefined =>
  path !== '' && existsSync(join(path, 'config.json')) ? RunFolder.open(path) : undefined;

const shown = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none'));

const short = (digest: string): string => digest.slice(0, 8);

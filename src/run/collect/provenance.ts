import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { RunProvenance } from '../../measure/networks/record.js';
import { newestIdentity } from '../../storage/identity-file.js';
import { type RunConfig, RunFolder, shownPath } from '../../storage/run-folder.js';

const NAMED = 8; // data sets of runs that were made alike; of more there is a count

/** How runs were made, by what their folders say: runtime, threads, commit, data and command. Those that were made alike share one. */
export function provenanceOf(folders: readonly RunFolder[]): RunProvenance[] {
  const all = new Map<
    string,
    { readonly made: Omit<RunProvenance, 'runs' | 'data'>; runs: string[]; data: Set<string> }
  >();
  for (const folder of folders) {
    const { made, data } = ofRun(folder);
    const key = JSON.stringify(made);
    const known = all.get(key) ?? { made, runs: [], data: new Set() };
    known.runs.push(folder.shown);
    for (const one of data) known.data.add(one);
    all.set(key, known);
  }
  return [...all.values()].map(({ made, runs, data }) => {
    const rest = data.size - NAMED;
    return { ...made, runs, data: [...[...data].slice(0, NAMED), ...(rest > 0 ? [`and ${rest} more`] : [])] };
  });
}

/**
 * The command that makes the same run: of a fork or an attack from the folder of the other run, else from that of its module. With the
 * threads and ranks that it had, for they decide its bits.
 */
export function commandOf(folder: RunFolder): string {
  const { module, seed, config, origin, from, ranks } = folder.started;
  const threads = newestIdentity(folder)?.identity.machine.threads;
  const ofRanks = ranks && ranks.count > 1 ? [`--ranks ${ranks.count} --batch-norm ${ranks.batchNorm}`] : [];
  const rest = (): string[] => {
    if (from !== undefined)
      return [`weir attack ${pathOf(from.run)}`, ...picked(from.taken), ...settings(config, configIn(from.run))];
    if (origin !== undefined)
      return [`weir fork ${pathOf(origin.run)} --at ${origin.at}`, ...ofRanks, ...settings(config, origin.config)];
    return [`weir run ${quoted(basename(module))} --seed ${seed}`, ...ofRanks, ...settings(config)];
  };
  return [...(threads === undefined ? [] : [`WEIR_THREADS=${threads}`]), ...rest()].join(' ');
}

/** The options that pick the weights of an attack. */
const picked = ({ snapshot, averaged }: NonNullable<RunConfig['from']>['taken'] = {}): string[] => [
  ...(snapshot === undefined ? [] : [`--snapshot ${quoted(snapshot)}`]),
  ...(averaged ? ['--averaged'] : []),
];

/** The keys that are not as in another config, or all. A profile is its values. */
const settings = (config: RunConfig['config'], before: RunConfig['config'] = {}): string[] =>
  Object.entries(config)
    .filter(([key, value]) => key !== 'profile' && !isDeepStrictEqual(value, before[key]))
    .map(([key, value]) => `--set ${quoted(`${key}=${text(value)}`)}`);

/** The config of another run; none where its folder is gone. */
const configIn = (run: string): RunConfig['config'] =>
  existsSync(join(run, 'config.json')) ? RunFolder.open(run).started.config : {};

const pathOf = (run: string): string => quoted(shownPath(run));

/** A value as `--set` takes it: a list of words or numbers is as people write it, any other value as JSON. */
function text(value: unknown): string {
  const isPlain = Array.isArray(value) && value.length > 0 && value.every((one) => /^[\w.+-]+$/.test(String(one)));
  return isPlain ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value);
}

const quoted = (word: string): string => (/^[\w.=,/+:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function ofRun(folder: RunFolder): {
  readonly made: Omit<RunProvenance, 'runs' | 'data'>;
  readonly data: readonly string[];
} {
  const found = newestIdentity(folder);
  if (found === undefined) return { made: { runtime: '', threads: '', commit: '' }, data: [] };
  const { identity, fingerprints } = found;
  const { runtime, node, threads, ranks, processor } = identity.machine;
  const used = new Set(Object.values(identity.inputs).flatMap((nodes) => Object.values(nodes).flat()));
  const data = [...used].flatMap((digest) => {
    const { name, properties } = fingerprints[digest] ?? {};
    const samples = properties?.samples;
    return samples === undefined ? [] : [`${name}, ${String(samples)} samples, SHA-256 ${digest.slice(0, 12)}`];
  });
  return {
    made: {
      runtime: `${runtime}, Node ${node}; ${processor}`,
      threads: `${threads}${ranks > 1 ? ` on each of ${ranks} ranks` : ''}`,
      commit: identity.commit ?? '',
    },
    data,
  };
}

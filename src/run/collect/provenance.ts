import type { RunProvenance } from '../../measure/networks/record.js';
import { newestIdentity } from '../../storage/identity-file.js';
import type { RunFolder } from '../../storage/run-folder.js';

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

/** The command that would make the same run, from the folder of its module. */
export function commandOf({ started }: RunFolder): string {
  const { module, seed, config } = started;
  const keys = Object.entries(config).filter(([key]) => key !== 'profile');
  const values = keys.map(([key, value]) => `--set ${quoted(`${key}=${text(value)}`)}`);
  return ['weir run', quoted(module.split(/[/\\]/).at(-1)!), `--seed ${seed}`, ...values].join(' ');
}

const text = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

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

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Data } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import type { NetworkReport } from '../measure/networks/record.js';
import { pack, unpack } from '../storage/codec.js';
import { onDisk, writeAtomically } from '../storage/disk.js';
import { version } from '../storage/file-format.js';
import { z } from '../storage/record.js';
import { makeFolder } from '../surroundings/folders.js';
import { packedNetwork, unpackedNetwork } from './columns.js';

/** The outcome of a finished run of a study: its networks, and how it was made. */
export interface StudyResult {
  readonly experiment: string;
  readonly setting: string;
  readonly seed: number;
  readonly made: Made;
  /** The values of its config that decide what comes out. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly networks: readonly NetworkReport[];
}

/** How a result was made, in words. */
export interface Made {
  readonly weir: string;
  /** Of the module's repository; '' where there was none. */
  readonly commit: string;
  readonly machine: string;
  readonly command: string;
  /** Each data set with its size and the beginning of its SHA-256. */
  readonly data: readonly string[];
  /** Seconds of the whole run; null where the log does not say. */
  readonly seconds: number | null;
  /** ISO 8601. */
  readonly at: string;
}

const EXTENSION = '.weirresult';
const FORMAT = 1;

const fileSchema = z.object({
  kind: z.literal('weir result'),
  format: z.literal(FORMAT),
  experiment: z.string(),
  setting: z.string(),
  seed: z.int(),
  config: z.record(z.string(), z.unknown()),
  made: z.object({
    weir: z.string(),
    commit: z.string(),
    machine: z.string(),
    command: z.string(),
    data: z.array(z.string()),
    seconds: z.number().nullable(),
    at: z.string(),
  }),
  networks: z.array(
    z.looseObject({
      name: z.string(),
      pipeline: z.string(),
      regularizer: z.string(),
      seed: z.int(),
      sigma: z.looseObject({}),
    }),
  ),
});

/** The file of a result: MessagePack, compressed. */
export function resultFile({ networks, config, ...result }: StudyResult): Uint8Array {
  const whole = { kind: 'weir result', format: FORMAT, ...result, config, networks: networks.map(packedNetwork) };
  return gzipSync(pack(whole as unknown as Data), { level: 9 });
}

/** Writes a result into a folder, under the name of its job. @returns the path @throws {WeirError} naming a file that could not be written */
export function writeResult(folder: string, job: string, result: StudyResult): string {
  makeFolder(folder);
  const path = join(folder, `${job}${EXTENSION}`);
  const bytes = resultFile(result);
  if (!existsSync(path) || !readFileSync(path).equals(bytes)) writeAtomically(path, bytes);
  return path;
}

/** A result, and the file that it is from. */
export interface RecordedResult extends StudyResult {
  readonly file: string;
}

/** All results of a folder. @throws {WeirError} where there is no such folder, and naming a file that holds no result */
export function readResults(folder: string): RecordedResult[] {
  const names = onDisk(`read ${folder}`, () => readdirSync(folder, { recursive: true, encoding: 'utf8' }));
  return names
    .filter((name) => name.endsWith(EXTENSION))
    .sort()
    .map((name) => readResult(join(folder, name)));
}

function readResult(file: string): RecordedResult {
  const bytes = onDisk(`read ${file}`, () => readFileSync(file));
  let data: unknown;
  try {
    data = unpack(gunzipSync(bytes, { maxOutputLength: 2 ** 30 }));
  } catch (cause) {
    throw new WeirError(
      `${file} holds no result of a study: ${(cause as Error).message}`,
      'remove it, or take it from its source again',
      { cause },
    );
  }
  const parsed = fileSchema.safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new WeirError(
      `${file} holds no result that Weir ${version} can read: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`,
      `it reads format ${FORMAT}; remove the file, or make it again`,
    );
  }
  const { experiment, setting, seed, config, made, networks } = parsed.data;
  const all = networks.map((one) => unpackedNetwork(one as unknown as Data, { run: file, config, setting }));
  return { file, experiment, setting, seed, config, made, networks: all };
}

/** Keys whose values make no difference to what comes out: where data and other runs lie, and how many threads prepare images. */
const ELSEWHERE = ['profile', 'workers', 'from', 'logEvery', 'testEvery', 'seeds'];

/** Whether a key decides what comes out. */
export const decides = (key: string): boolean => !ELSEWHERE.includes(key);

/** The values of a config that decide what comes out. @param folders keys that are folders of data */
export const decisive = (
  config: Readonly<Record<string, unknown>>,
  folders: readonly string[],
): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(
      Object.fromEntries(Object.entries(config).filter(([key]) => decides(key) && !folders.includes(key))),
    ),
  );

/** The first key in which two configs differ, with both values; undefined where they are the same. */
export function configDifference(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): string | undefined {
  const key = Object.keys({ ...a, ...b }).find((one) => !isDeepStrictEqual(a[one], b[one]));
  const shown = (value: unknown): string => (value === undefined ? 'none' : String(value));
  return key && `${key}=${shown(a[key])} and ${key}=${shown(b[key])}`;
}

const named = ({ experiment, setting, seed }: StudyResult): string =>
  `${[experiment, setting].filter(Boolean).join(', ')}, seed ${seed}`;

/** A data set without its checksum. */
const sizeOf = (data: string): string => data.replace(/, SHA-256 .*$/, '');

/**
 * Results of several sessions as one: their seeds add up, and a result that is there twice counts once.
 *
 * @throws {WeirError} where two results of an experiment and setting were made with other values, or on other data: names both and what differs
 */
export function merged<R extends StudyResult & { readonly file?: string }>(results: readonly R[]): R[] {
  const first = new Map<string, R>();
  const kept = new Map<string, R>();
  for (const result of results) {
    const group = JSON.stringify([result.experiment, result.setting]);
    const alike = first.get(group);
    if (alike === undefined) first.set(group, result);
    else refuseOther(alike, result);
    const key = JSON.stringify([result.experiment, result.setting, result.seed]);
    const known = kept.get(key);
    if (known === undefined) kept.set(key, result);
    else refuseOtherData(known, result);
  }
  return [...kept.values()];
}

const source = ({ file, made }: StudyResult & { readonly file?: string }): string => file ?? `the run of ${made.at}`;

function refuseOther(a: StudyResult & { readonly file?: string }, b: StudyResult & { readonly file?: string }): void {
  const config = configDifference(a.config, b.config);
  const [ours, theirs] = [a, b].map(({ made }) => [...new Set(made.data.map(sizeOf))].sort().join('; '));
  const data = ours === theirs ? undefined : `data ${ours} and ${theirs}`;
  const what = config ?? data;
  if (what === undefined) return;
  throw new WeirError(
    `two results disagree: ${named(a)} in ${source(a)} and ${named(b)} in ${source(b)} were made with ${what}`,
    'take one of them out of the folder of results, or ask for the same values',
  );
}

function refuseOtherData(
  a: StudyResult & { readonly file?: string },
  b: StudyResult & { readonly file?: string },
): void {
  if (isDeepStrictEqual([...a.made.data].sort(), [...b.made.data].sort())) return;
  throw new WeirError(
    `two results disagree: ${named(a)} in ${source(a)} and in ${source(b)} are of other data: ${a.made.data.join('; ')} and ${b.made.data.join('; ')}`,
    'take one of them out of the folder of results',
  );
}

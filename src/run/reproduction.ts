import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { WeirError } from '../core/errors.js';
import { resolveConfig } from './config.js';
import { readState } from './execute.js';
import { planned, RunFolder } from './folder.js';
import { loadPipeline } from './load-module.js';
import type { Pipeline } from './pipeline.js';

/** One run of an experiment. */
export interface Part {
  readonly pipeline: Pipeline;
  readonly module: string;
  /** Name of the setting; '' where there is one only. */
  readonly setting: string;
  readonly path: string;
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Plan {
  readonly module: string;
  readonly seed: number;
  /** Folder that holds a folder for each run. */
  readonly into: string;
  /** `key=value` each, over those of every setting. */
  readonly set: readonly string[];
  readonly fallback?: (pipeline: Pipeline) => Readonly<Record<string, unknown>>;
}

/**
 * The runs that make up an experiment, in order: first those of the pipeline that it builds upon, then one for each setting.
 *
 * A pure function of the plan: asked again it names the same folders, so an experiment goes on where it was.
 */
export async function partsOf({ module, seed, into, set, fallback = () => ({}) }: Plan): Promise<Part[]> {
  const chain = await chainOf(module);
  const lost = set.filter((setting) => !chain.some(({ pipeline }) => hasKey(pipeline, setting)));
  const parts: Part[] = [];
  for (const { pipeline, module } of chain) {
    const from = parts.at(-1);
    const own = set.filter((setting) => hasKey(pipeline, setting));
    for (const [setting, values] of Object.entries(pipeline.reproduce.settings ?? { '': [] })) {
      const all = [...values, ...(from === undefined ? [] : [`from=${from.path}`]), ...own, ...lost]; // lost: told here
      const config = resolveConfig(pipeline.config, pipeline.profiles, all, { fallback: fallback(pipeline) });
      const path = join(into, [pipeline.name, folded(setting)].filter(Boolean).join('-'));
      parts.push({ pipeline, module, setting, seed, path, config });
    }
  }
  return parts;
}

/** The pipeline after those that it builds upon. */
async function chainOf(module: string): Promise<{ readonly pipeline: Pipeline; readonly module: string }[]> {
  const pipeline = await loadPipeline(module);
  const { after } = pipeline.reproduce;
  const before = after === undefined ? [] : await chainOf(join(module, '..', `${after}.ts`));
  return [...before, { pipeline, module }];
}

/** Is the key of this `key=value` one of the pipeline's? */
function hasKey({ config }: Pipeline, setting: string): boolean {
  const key = setting.split('=', 1)[0]!;
  return key === 'profile' || Object.hasOwn(config, key);
}

/** Opens the part's folder, or makes it. @throws {WeirError} when it holds a run of other values. */
export function folderOf({ module, pipeline, setting, path, seed, config }: Part): RunFolder {
  if (!existsSync(join(path, 'config.json'))) {
    const networks = planned(pipeline.networks(config, seed));
    return RunFolder.create(path, { module, pipeline: pipeline.name, seed, config, setting, networks });
  }
  const folder = RunFolder.open(path);
  const { started } = folder;
  const asked = JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
  const odd = Object.keys({ ...asked, ...started.config }).find(
    (key) => !isDeepStrictEqual(asked[key], started.config[key]),
  );
  if (odd === undefined && started.seed === seed) return folder;
  const [key, was, is] = odd === undefined ? ['seed', started.seed, seed] : [odd, started.config[odd], asked[odd]];
  throw new WeirError(
    `${path} was begun with ${key}=${String(was)}, and this asks for ${key}=${String(is)}`,
    'choose another folder with --run, or ask for the same to go on with it',
  );
}

/** Are all networks of the run trained and measured? */
export function isDone(folder: RunFolder, { pipeline, config, seed }: Part): boolean {
  return pipeline
    .networks(config, seed)
    .every(({ name }) => readState(folder.snapshots(name), () => undefined)?.done === true);
}

/** The module of a name or path: `xor` is `pipelines/xor.ts` of this package. */
export function moduleOf(name: string): string {
  if (/[/\\.]/.test(name)) return name;
  return join(import.meta.dirname, '../../pipelines', `${name}.ts`);
}

const folded = (setting: string): string => setting.toLowerCase().replace(/[^a-z0-9]+/g, '-');

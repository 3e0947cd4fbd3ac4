import { WeirError } from '../../flow/errors.js';
import type { Header } from '../../flow/header.js';
import * as ops from './ops/index.js';
import type { OpData, OpDefinition } from './ops/op.js';

/** Any op of the registry. */
export type Op = ReturnType<(typeof ops)[keyof typeof ops]>;

/** The ops on each sample, first to last. Plain data: it crosses to worker threads, and a run's record shows it. */
export type Recipe = readonly Op[];

const definitions = new Map<string, OpDefinition<OpData>>(
  Object.values(ops).map(({ op, definition }) => [op, definition as OpDefinition<OpData>]),
);

/** Looks an op up by its name. @throws {WeirError} for a name that no op has */
export function definitionOf({ op }: OpData): OpDefinition<OpData> {
  const definition = definitions.get(op);
  if (definition === undefined) {
    throw new WeirError(`no op is called '${op}'`, `the ops are ${[...definitions.keys()].join(', ')}`);
  }
  return definition;
}

/** Whether a recipe is too cheap for a worker thread. Its result is then the same in every epoch. */
export const isLight = (recipe: Recipe): boolean => recipe.every((op) => definitionOf(op).kind === 'light');

const bytesStay: ReadonlySet<string> = new Set<OpDefinition<OpData>['kind']>(['resizing', 'moving', 'pixels']);

/** Whether all ops of a recipe work on bytes, so that bytes stay bytes. */
export const keepsBytes = (recipe: Recipe): boolean => recipe.every((op) => bytesStay.has(definitionOf(op).kind));

/** The headers of samples after the recipes: they say how the samples were normalized, where all recipes agree. */
export function normalizedBy(recipes: readonly Recipe[], incoming: readonly Header[]): readonly Header[] {
  const found = recipes.map((recipe) => recipe.findLast((op) => op.op === 'normalize'));
  const [first] = found;
  if (first === undefined || found.some((op) => JSON.stringify(op) !== JSON.stringify(first))) return incoming;
  const before = incoming.find((header) => header.normalization !== undefined);
  if (before !== undefined) {
    throw new WeirError(
      `op 'normalize' gets samples of '${before.classes?.of ?? 'a data set'}' that are standardized already`,
      'take it out of the recipe',
    );
  }
  const normalization = { mean: [...first.mean], std: [...first.std] };
  return (incoming.length === 0 ? [{}] : incoming).map((header) => ({ ...header, normalization }));
}

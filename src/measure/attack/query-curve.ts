import { mean } from '../../plot/statistics.js';
import type { AttackKind, QueryCurve } from './record.js';

/** What one attack made of a network's samples, as far as curves need it. */
interface Attempted {
  readonly name: string;
  readonly kind?: AttackKind | undefined;
  readonly samples: readonly {
    readonly index: number;
    readonly label: number;
    readonly predicted: number;
    readonly distance: number | null;
    readonly curve?: QueryCurve;
  }[];
}

/** The mean distance of an attack after each number of queries. */
export interface AttackCurve {
  readonly name: string;
  readonly kind?: AttackKind | undefined;
  /** Over how many samples: those for which every attack found an adversarial point. */
  readonly samples: number;
  /** In order of queries, a point for each step of the attack. */
  readonly points: readonly { readonly queries: number; readonly distance: number }[];
}

/** The curve of each attack that has them, over the samples that every one of those attacks found an adversarial point for. */
export function queryCurves(attempts: readonly Attempted[]): AttackCurve[] {
  const curved = attempts.filter(({ samples }) => samples.some(({ curve }) => curve !== undefined));
  const found = curved.map(
    ({ samples }) =>
      new Map(
        samples.flatMap(({ index, label, predicted, distance, curve }) =>
          label === predicted && distance !== null && curve !== undefined ? [[index, curve] as const] : [],
        ),
      ),
  );
  const shared = [...(found[0]?.keys() ?? [])].filter((index) => found.every((own) => own.has(index)));
  if (shared.length === 0) return [];
  return curved.map(({ name, kind }, i) => ({
    name,
    kind,
    samples: shared.length,
    points: meanCurve(shared.map((index) => found[i]!.get(index)!)),
  }));
}

/**
 * The mean of curves, which are steps: a sample's distance stays until its next point. Point k stands at the mean queries of the samples' k-th
 * points, from the number on at which every sample has one.
 */
export function meanCurve(curves: readonly QueryCurve[]): AttackCurve['points'] {
  const begin = Math.max(...curves.map(({ queries }) => queries[0]!));
  const end = Math.max(...curves.map(({ queries }) => queries.at(-1)!));
  const most = Math.max(...curves.map(({ queries }) => queries.length));
  const places = Array.from({ length: most }, (_, k) => mean(curves.flatMap(({ queries }) => queries[k] ?? [])));
  const inside = places.filter((queries) => queries > begin && queries < end);
  return [...new Set([begin, ...inside.sort((a, b) => a - b), end])].map((queries) => ({
    queries,
    distance: mean(curves.map((curve) => curve.distance[curve.queries.findLastIndex((own) => own <= queries)]!)),
  }));
}

import { mean } from '../../plot/statistics.js';
import type { AttackKind } from './record.js';

/** A sample under attack, as far as attacks are compared by it. */
interface Attempted {
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Null where no adversarial point was found. */
  readonly distance: number | null;
  readonly queries: number;
}

/** What one attack made of a network's samples. */
export interface Attempt<S extends Attempted = Attempted> {
  readonly name: string;
  /** Undefined where its record does not say it. */
  readonly kind?: AttackKind | undefined;
  readonly samples: readonly S[];
}

/** One attack among several. */
export interface AttackStanding {
  readonly name: string;
  readonly kind?: AttackKind | undefined;
  /** Samples whose smallest distance is this attack's; of equal ones the first attack's. */
  readonly best: number;
  /** Over the samples of the portfolio, each attack by itself; null where it has none. */
  readonly meanDistance: number | null;
  readonly meanQueries: number;
}

/** Several attacks on the same samples of the same network. */
export interface Portfolio {
  /** Correctly classified samples that every attack was on, and for which some attack found an adversarial one. */
  readonly samples: number;
  readonly attacks: readonly AttackStanding[];
  /** Mean of the smallest distances. */
  readonly meanBest: number;
}

/** A sample's upper bound: the smallest verified distance of all attacks on it, and the attack that it is by. */
export interface Nearest {
  readonly distance: number;
  readonly by: Attempt;
}

/** The upper bound of each sample for which an adversarial one was found, by its index. */
export function bestOf(attempts: readonly Attempt[]): ReadonlyMap<number, Nearest> {
  const best = new Map<number, Nearest>();
  for (const by of attempts) {
    for (const { index, distance } of by.samples) {
      if (distance !== null && distance < (best.get(index)?.distance ?? Number.POSITIVE_INFINITY))
        best.set(index, { distance, by });
    }
  }
  return best;
}

/** How the attacks on the samples that they share compare; undefined for a single attack, or where they share none. */
export function portfolioOf(attempts: readonly Attempt[]): Portfolio | undefined {
  if (attempts.length < 2) return undefined;
  const best = bestOf(attempts);
  const taken = attempts.map(({ samples }) => new Map(samples.map((sample) => [sample.index, sample])));
  const shared = attempts[0]!.samples.filter(
    ({ index, label, predicted }) => label === predicted && best.has(index) && taken.every((own) => own.has(index)),
  );
  if (shared.length === 0) return undefined;
  return {
    samples: shared.length,
    attacks: attempts.map((attempt, i) => {
      const own = shared.map(({ index }) => taken[i]!.get(index)!);
      const distances = own.flatMap(({ distance }) => distance ?? []);
      return {
        name: attempt.name,
        kind: attempt.kind,
        best: own.filter(({ index }) => best.get(index)!.by === attempt).length,
        meanDistance: distances.length > 0 ? mean(distances) : null,
        meanQueries: mean(own.map(({ queries }) => queries)),
      };
    }),
    meanBest: mean(shared.map(({ index }) => best.get(index)!.distance)),
  };
}

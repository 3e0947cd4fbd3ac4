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
  /** ε of an attack that looks within it alone: its distances are upper bounds, and their mean says nothing. */
  readonly epsilon?: number | undefined;
  readonly samples: readonly S[];
}

/** An attack at a fixed ε beside all the others, over the samples that it and one of them were on. */
export interface FixedCheck {
  readonly name: string;
  readonly epsilon: number;
  readonly samples: number;
  /** Samples that are right under it, and under the others, at perturbations of up to ε. */
  readonly left: number;
  readonly leftByOthers: number;
  /** Samples that it alone breaks. */
  readonly more: number;
}

/** One attack among several. */
export interface AttackStanding {
  readonly name: string;
  readonly kind?: AttackKind | undefined;
  /** Samples whose smallest distance is this attack's; of equal ones the first attack's. */
  readonly best: number;
  /** Over the samples of the portfolio, each attack by itself; null where it has none, or looks within a fixed ε. */
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
        meanDistance: distances.length > 0 && attempt.epsilon === undefined ? mean(distances) : null,
        meanQueries: mean(own.map(({ queries }) => queries)),
      };
    }),
    meanBest: mean(shared.map(({ index }) => best.get(index)!.distance)),
  };
}

/** Each attack at a fixed ε, where other attacks were on its samples too. */
export function fixedChecks(attempts: readonly Attempt[]): FixedCheck[] {
  return attempts.flatMap((attempt): FixedCheck[] => {
    const { name, epsilon } = attempt;
    const others = attempts.filter((other) => other !== attempt);
    const taken = new Set(others.flatMap(({ samples }) => samples.map(({ index }) => index)));
    const shared = attempt.samples.filter(({ index }) => taken.has(index));
    if (epsilon === undefined || shared.length === 0) return [];
    const best = bestOf(others);
    const within = (distance: number | null | undefined): boolean => distance != null && distance <= epsilon;
    const right = shared.filter(({ label, predicted }) => label === predicted);
    const left = right.filter(({ distance }) => !within(distance));
    const leftByOthers = right.filter(({ index }) => !within(best.get(index)?.distance));
    const more = leftByOthers.filter(({ distance }) => within(distance)).length;
    return [{ name, epsilon, samples: shared.length, left: left.length, leftByOthers: leftByOthers.length, more }];
  });
}

import { closed, compare, type Judged, type Open, type StudyNetwork } from './comparison.js';
import { VIEWS, type View } from './distances.js';
import { type ClaimVerdict, together, verdictsOf, type Word } from './rules.js';
import { type Claim, experimentsOf, type Study } from './study.js';

/** A claim with its verdict. */
export interface JudgedClaim {
  readonly claim: Claim;
  /** The experiment whose claims are one family. */
  readonly family: string;
  readonly word: Word;
  /** By Holm's method over the claims of its family. */
  readonly p: number | null;
  /** The same over all claims of the page. */
  readonly onPage: ClaimVerdict;
  readonly comparisons: readonly Judged[];
  /** The verdict in each other way of taking distances that has results. */
  readonly others: readonly { readonly view: View; readonly word: Word }[];
  /** Those of them in which the verdict is another one. */
  readonly turned: readonly View[];
}

/**
 * Judges every claim of a study by the networks that there are.
 *
 * The unit is the seed: each gives one number a network. Sides that share two seeds or more are compared in pairs, others by Welch's test.
 * A claim is one test, whatever its number of comparisons. The claims of one experiment, distances taken in one way, are one family.
 */
export function judge(study: Study, networks: readonly StudyNetwork[]): JudgedClaim[] {
  const all = study.claims.map((claim): OpenClaim => {
    const comparisons = claim.analyses.map((analysis) => compare(analysis, networks));
    return { claim, family: experimentsOf(claim)[0]!, comparisons };
  });
  const first = judgedBy(all, VIEWS[0]!);
  const later = VIEWS.slice(1).map((view) => ({ view, verdicts: judgedBy(all, view) }));
  return all.map(({ claim, family, comparisons }, i) => {
    const { own, onPage } = first[i]!;
    const otherwise = later.flatMap(({ view, verdicts }) => {
      const taken = comparisons.some(({ tests }) => tests.slice(1).some((test) => test.view === view));
      const { word } = verdicts[i]!.own;
      return taken && word !== 'not run' ? [{ view, word }] : [];
    });
    return {
      ...{ claim, family, word: own.word, p: own.p, onPage },
      comparisons: comparisons.map(closed),
      others: otherwise,
      turned: otherwise.filter(({ word }) => word !== own.word).map(({ view }) => view),
    };
  });
}

interface OpenClaim {
  readonly claim: Claim;
  readonly family: string;
  readonly comparisons: readonly Open[];
}

/** Of a claim: in its family, and among all claims of the page. */
interface Verdicts {
  readonly own: ClaimVerdict;
  readonly onPage: ClaimVerdict;
}

/** The verdict on each claim with distances taken in one way. */
function judgedBy(claims: readonly OpenClaim[], view: View): Verdicts[] {
  const tests = claims.map(({ comparisons }) =>
    comparisons.map(({ tests }) => tests.find((test) => test.view === view) ?? tests[0]!),
  );
  const decisions = tests.map((own) => together(own.map(({ decision }) => decision)));
  const onPage = verdictsOf(decisions);
  const own = [...onPage];
  for (const family of new Set(claims.map((one) => one.family))) {
    const members = claims.flatMap((one, i) => (one.family === family ? [i] : []));
    verdictsOf(members.map((i) => decisions[i]!)).forEach((verdict, at) => {
      own[members[at]!] = verdict;
    });
  }
  return tests.map((all, i) => {
    const checked = all.find(({ fixed }) => fixed !== undefined)?.fixed;
    if (checked !== undefined) return { own: { word: checked, p: null }, onPage: { word: checked, p: null } };
    const isWhole = all.every(({ estimate }) => estimate !== null);
    return isWhole ? { own: own[i]!, onPage: onPage[i]! } : { own: partly(own[i]!), onPage: partly(onPage[i]!) };
  });
}

/** Of a claim that lacks results of some comparisons: one that is shown the other way round is enough for ‘fails’; else it is not run. */
const partly = ({ word, p }: ClaimVerdict): ClaimVerdict => ({ word: word === 'fails' ? word : 'not run', p });

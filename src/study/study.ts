import { WeirError } from '../flow/errors.js';
import { checkOptions, type OptionKeys, suggestion } from '../flow/options.js';
import type { FigureRequest } from '../plot/figure.js';
import type { StudyMeasure } from './measures.js';

/** A study as a module exports it by default: experiments, and the claims that are judged by them. Plain data. */
export interface Study {
  readonly kind: 'study';
  readonly name: string;
  readonly title: string;
  /** Folders of data by the name that `--set` gives them: `--set cifar10=DIR`. */
  readonly data: Readonly<Record<string, StudyData>>;
  readonly experiments: Readonly<Record<string, Experiment>>;
  /** Other scales by their name: what they change of each experiment that they run. */
  readonly profiles: Readonly<Record<string, Readonly<Record<string, ExperimentScale>>>>;
  /** The profile that is the paper's protocol; left out where the study's own scale is. */
  readonly protocol?: string;
  readonly claims: readonly Claim[];
  /** What the paper claims, too, and why it is not judged. */
  readonly notJudged: readonly Unjudged[];
}

/** A data set that experiments read from a folder. */
export interface StudyData {
  readonly describe: string;
  /** Stands in where no folder is given, and is not the paper's data; without it the experiments on these data are then not run. */
  readonly default?: string;
}

/** Runs of one pipeline. */
export interface Experiment {
  /** Name of the pipeline's module, which stands beside the study's. */
  readonly pipeline: string;
  /** What it is, in a few words. */
  readonly title: string;
  /** `key=value` each, by the name of the setting; by default one setting without a name. */
  readonly settings?: Readonly<Record<string, readonly string[]>>;
  /** `key=value` of all settings. */
  readonly set?: readonly string[];
  /** Seeds from 0 on. */
  readonly seeds: number;
  /** Whether one job trains all seeds, as an ensemble does; by default a job for each. */
  readonly together?: boolean;
  /** Keys of the pipeline that are folders of data: by which of the study's `data` each. */
  readonly data?: Readonly<Record<string, string>>;
  /** The experiment whose run of the same seed becomes the key `from`. */
  readonly after?: string;
  readonly cost: Cost;
}

/** What one job of an experiment takes, before a result says it: seconds of a smaller run times a factor. */
export interface Cost {
  /** Seconds of the smaller run, on 2 cores. */
  readonly measured: number;
  /** The smaller run in words, and whether it was measured or is assumed. */
  readonly by: string;
  /** Times that for a job of the study. */
  readonly factor: number;
  /** Times that for a job of the paper's protocol. */
  readonly paper: number;
  /** How many times faster one GPU is thought to be; 1 where the device would wait for the host. */
  readonly gpu: number;
}

/** An experiment at another scale. */
export interface ExperimentScale {
  readonly seeds?: number;
  /** In the place of its `set`. */
  readonly set?: readonly string[];
  /** Which of its settings; by default all. */
  readonly settings?: readonly string[];
}

/** The networks of one method in one setting of an experiment: one for each seed. */
export interface Side {
  readonly experiment: string;
  readonly setting?: string;
  /** The regularizer, as reports call it: 'rep-spectral', 'none > none'. */
  readonly method: string;
}

/** How far from equal still counts as no difference, and why that far. */
export interface EquivalenceMargin {
  readonly size: number;
  /** As a part of the second side's value, not in the measure's unit. */
  readonly relative?: boolean;
  readonly why: string;
}

/**
 * One comparison, fixed before any run.
 *
 * - `greater`: the measure of `a` is greater than that of `b`, or than `times` that of `b`.
 * - `not-less`: that of `a` is not less than that of `b` by the margin or more (non-inferiority).
 * - `equal`: the two differ by less than the margin, up or down (TOST).
 * - `rising`: the measure rises along a series of sides; by the slope of each seed over the places in the series.
 * - `above`, `below`: the measure of one side is above or below a bound.
 * - `every`: a property of each sample of all networks; one that lacks it refutes the claim.
 */
export type Analysis =
  | (Pairwise & { readonly test: 'greater'; readonly times?: number })
  | (Pairwise & { readonly test: 'not-less' | 'equal'; readonly margin: EquivalenceMargin })
  | { readonly test: 'rising'; readonly measure: StudyMeasure; readonly series: readonly Side[] }
  | { readonly test: 'above' | 'below'; readonly measure: StudyMeasure; readonly of: Side; readonly bound: number }
  | { readonly test: 'every'; readonly check: 'lower ≤ upper'; readonly of: readonly string[] };

/** Two sides in one measure. */
export interface Pairwise {
  readonly measure: StudyMeasure;
  readonly a: Side;
  readonly b: Side;
}

/** A claim of the paper. */
export interface Claim {
  /** 'figure-2'. */
  readonly id: string;
  /** Where it stands: 'figure 2, section 4.1'. */
  readonly where: string;
  /** The claim, in a sentence. */
  readonly words: string;
  /** It holds where all of these hold. */
  readonly analyses: readonly Analysis[];
  /** A figure of the report that shows it. */
  readonly figure?: FigureRequest;
  /** How the claim was made into these comparisons, where that is not plain. */
  readonly note?: string;
}

/** A claim of the paper that no comparison judges. */
export interface Unjudged {
  /** Where it stands: 'section 3.1'. */
  readonly where: string;
  /** The claim, in a sentence. */
  readonly words: string;
  /** Why it is not judged, in a sentence. */
  readonly why: string;
}

export interface StudyDefinition extends Pick<Study, 'name' | 'experiments' | 'claims'> {
  readonly title?: string;
  readonly data?: Study['data'];
  readonly profiles?: Study['profiles'];
  readonly protocol?: string;
  readonly notJudged?: Study['notJudged'];
}

const studyKeys: OptionKeys<StudyDefinition> = {
  name: 'required',
  title: 'optional',
  data: 'optional',
  experiments: 'required',
  profiles: 'optional',
  protocol: 'optional',
  claims: 'required',
  notJudged: 'optional',
};

const experimentKeys: OptionKeys<Experiment> = {
  pipeline: 'required',
  title: 'required',
  settings: 'optional',
  set: 'optional',
  seeds: 'required',
  together: 'optional',
  data: 'optional',
  after: 'optional',
  cost: 'required',
};

const claimKeys: OptionKeys<Claim> = {
  id: 'required',
  where: 'required',
  words: 'required',
  analyses: 'required',
  figure: 'optional',
  note: 'optional',
};

/**
 * Defines a study: experiments, and claims with the analysis that each is judged by. `weir reproduce FILE` runs the experiments and writes
 * one page with a verdict on every claim.
 *
 * @throws {WeirError} names an experiment or setting that there is none of, a claim that is there twice, or one without an analysis
 * @example
 * const at = (method: string) => ({ experiment: 'xor', method });
 * export default study({
 *   name: 'own-claim',
 *   experiments: {
 *     xor: { pipeline: 'xor', title: 'clean XOR', seeds: 10, together: true, cost: { measured: 140, by: 'itself', factor: 1, paper: 1, gpu: 1 } },
 *   },
 *   claims: [
 *     {
 *       id: 'distance',
 *       where: 'figure 2',
 *       words: 'rep-spectral has the larger Δx',
 *       analyses: [{ test: 'greater', measure: 'Δx', a: at('rep-spectral'), b: at('none') }],
 *     },
 *   ],
 * });
 */
export function study(definition: StudyDefinition): Study {
  const {
    name,
    title = name,
    data = {},
    experiments,
    profiles = {},
    protocol,
    claims,
    notJudged = [],
  } = checkOptions('study', definition, studyKeys);
  const known = Object.keys(experiments);
  const must = (found: boolean, what: string, given: string, all: readonly string[]): void => {
    if (found) return;
    throw new WeirError(`study '${name}': ${what}`, suggestion(given, all, `there are ${all.join(', ')}`));
  };
  for (const [key, experiment] of Object.entries(experiments)) {
    checkOptions(`experiment '${key}' of study '${name}'`, experiment, experimentKeys);
    const { after, data: folders = {} } = experiment;
    if (after !== undefined)
      must(known.includes(after), `experiment '${key}' is after '${after}', which there is not`, after, known);
    for (const one of Object.values(folders))
      must(
        Object.hasOwn(data, one),
        `experiment '${key}' reads data '${one}', which there are not`,
        one,
        Object.keys(data),
      );
  }
  if (protocol !== undefined)
    must(
      Object.hasOwn(profiles, protocol),
      `its protocol is profile '${protocol}', which there is not`,
      protocol,
      Object.keys(profiles),
    );
  for (const [profile, scales] of Object.entries(profiles))
    for (const key of Object.keys(scales))
      must(known.includes(key), `profile '${profile}' has no experiment '${key}' to change`, key, known);
  for (const claim of claims) {
    checkOptions(`claim '${claim.id}' of study '${name}'`, claim, claimKeys);
    if (claim.analyses.length === 0)
      throw new WeirError(`claim '${claim.id}' of study '${name}' has no analysis`, 'give it one comparison at least');
    if (claims.filter(({ id }) => id === claim.id).length > 1)
      throw new WeirError(`claim '${claim.id}' is twice in study '${name}'`, 'give each claim an id of its own');
    for (const side of sidesOf(claim)) {
      const { experiment, setting = '' } = side;
      must(
        known.includes(experiment),
        `claim '${claim.id}' is judged by experiment '${experiment}', which there is not`,
        experiment,
        known,
      );
      const settings = settingsOf(experiments[experiment]!);
      must(
        settings.includes(setting),
        `claim '${claim.id}' is judged by setting '${setting}' of '${experiment}', which there is not`,
        setting,
        settings,
      );
    }
  }
  const all = { name, title, data, experiments, profiles, claims, notJudged };
  return { kind: 'study', ...all, ...(protocol !== undefined && { protocol }) };
}

/** Whether a module's default export is a study. */
export const isStudy = (exported: unknown): exported is Study =>
  typeof exported === 'object' && exported !== null && (exported as { readonly kind?: unknown }).kind === 'study';

/** The names of an experiment's settings. */
export const settingsOf = ({ settings = { '': [] } }: Experiment): string[] => Object.keys(settings);

/** Which networks a comparison is over; of a check, those of its experiments have no side. */
export function sidesIn(analysis: Analysis): readonly Side[] {
  if (analysis.test === 'every') return [];
  if (analysis.test === 'rising') return analysis.series;
  return 'of' in analysis ? [analysis.of] : [analysis.a, analysis.b];
}

/** Which networks a claim is judged by. */
export const sidesOf = ({ analyses }: Claim): Side[] => analyses.flatMap(sidesIn);

/** The experiments that a claim is judged by. */
export const experimentsOf = (claim: Claim): string[] => [
  ...new Set(
    claim.analyses.flatMap((one) => (one.test === 'every' ? one.of : sidesIn(one).map((side) => side.experiment))),
  ),
];

import { probability } from '../measure/networks/comparison.js';
import { fixed, NONE, number, percent } from '../plot/table.js';
import { isRelative, type Judged, type Test } from './comparison.js';
import { viewName } from './distances.js';
import type { JudgedClaim } from './judge.js';
import { isBySign, type Word } from './rules.js';
import type { Analysis } from './study.js';

/** The sign before a word, so that it can be told without its color. */
export const SIGNS: Readonly<Record<Word, string>> = { holds: '✓', fails: '✗', 'not told apart': '≈', 'not run': '–' };

/** A difference in the measure's unit; a logarithm of a ratio as per cent. */
export function size(value: number | null, { measure, analysis }: Pick<Judged, 'measure' | 'analysis'>): string {
  if (value === null) return NONE;
  const signed = (text: string, of: number): string => (of > 0 && differs(analysis) ? `+${text}` : text);
  if (isRelative(analysis)) return signed(percent(Math.expm1(value)), value);
  if (measure.unit === '%') return signed(`${fixed(measure.scale * value, 2)}`, value);
  return signed(number(measure.scale * value), value);
}

const differs = (analysis: Analysis): boolean => analysis.test !== 'above' && analysis.test !== 'below';

/** '+0.055 [0.021 to 0.089]'. */
export function effect(test: Test, judged: Pick<Judged, 'measure' | 'analysis'>): string {
  const { estimate } = test;
  if (estimate === null) return NONE;
  const { value, lower, upper } = estimate;
  const unit = judged.measure.unit === '%' && !isRelative(judged.analysis) ? ' points' : '';
  const interval = lower === null ? '' : ` [${size(lower, judged)} to ${size(upper, judged)}]`;
  return `${size(value, judged)}${interval}${unit}`;
}

/** The same; of a check of every sample, how many lack the property. */
export function effectInWords(test: Test, judged: Judged): string {
  const { checked } = judged;
  if (checked === undefined) return effect(test, judged);
  return `${checked.against.length} of ${checked.samples.toLocaleString('en-US')} images lack it, in ${experimentsIn(judged)}`;
}

/** Of a check: '1 of 7 experiments'. */
const experimentsIn = ({ analysis, checked }: Judged): string => {
  const all = analysis.test === 'every' ? analysis.of.length : 0;
  return `${checked!.experiments.length} of ${all} experiment${all === 1 ? '' : 's'}`;
};

/** '2 of 4 comparisons have results'; '' where all have, or none. */
export function partly({ comparisons }: Pick<JudgedClaim, 'comparisons'>): string {
  const known = comparisons.filter(hasResult).length;
  if (known === 0 || known === comparisons.length) return '';
  return `${known} of ${comparisons.length} comparisons ${known === 1 ? 'has' : 'have'} results`;
}

const hasResult = ({ tests }: Judged): boolean => tests[0].word !== 'not run';

/** '= 0.012'; a dash where nothing was tested. */
export const chance = ({ p }: Pick<Test, 'p'>): string => (p === null ? NONE : probability(p).replace(/^= /, ''));

/** How many seeds, and how they were compared. */
export function basis({ estimate }: Test): string {
  if (estimate === null) return NONE;
  const seeds = `${estimate.n} seed${estimate.n === 1 ? '' : 's'}${isBySign(estimate) ? ' without spread, sign test' : ''}`;
  return estimate.paired ? seeds : `${seeds} or more a side, unpaired`;
}

/** The comparison that a claim's verdict hangs on: the surest against it, else the one that is the least sure. */
export function weakest({ comparisons }: JudgedClaim): Judged {
  const pOf = ({ tests }: Judged): number => tests[0].p ?? (tests[0].word === 'holds' ? 0 : 1);
  const by = (sign: number) => (a: Judged, b: Judged) => sign * (pOf(a) - pOf(b));
  const against = comparisons.filter(({ tests }) => tests[0].word === 'fails').sort(by(1));
  return against[0] ?? [...comparisons].sort(by(-1))[0]!;
}

/** What a claim's verdict rests on, a sentence. */
export function reason(judged: JudgedClaim): string {
  const { comparisons, word } = judged;
  const counts = (wanted: Word): number => comparisons.filter(({ tests }) => tests[0].word === wanted).length;
  const { analysis, checked } = comparisons[0]!;
  if (checked !== undefined && word !== 'not run') {
    const against =
      checked.against.length === 0
        ? 'none lacks it'
        : `${checked.against.length} lack it: ${checked.against.slice(0, 3).join('; ')}`;
    const rest =
      checked.experiments.length < (analysis.test === 'every' ? analysis.of.length : 0)
        ? '; the others are not run'
        : '';
    return `Checked on ${checked.samples.toLocaleString('en-US')} images under ${checked.networks} networks in ${experimentsIn(comparisons[0]!)} (${checked.experiments.join(', ')})${rest}: ${against}.`;
  }
  const all = comparisons.length;
  if (word === 'not run' && partly(judged) === '') return 'There is no result yet.';
  const parts = [
    [counts('holds'), 'hold'],
    [counts('fails'), 'are shown the other way round'],
    [counts('not told apart'), 'are not told apart'],
    [counts('not run'), 'are not run'],
  ] as const;
  const single = {
    holds: 'The comparison holds.',
    fails: 'The comparison is shown the other way round.',
    'not told apart': 'The comparison is not told apart.',
    'not run': 'There is no result yet.',
  };
  if (all === 1) return single[word];
  const some = partly(judged);
  return `${some === '' ? '' : `${some}; ${word === 'fails' ? 'one shown the other way round is enough' : 'the claim is judged when all have'}. `}Of ${all} comparisons ${parts
    .filter(([n]) => n > 0)
    .map(([n, what]) => `${n} ${n === 1 ? what.replace(/^are/, 'is').replace(/^hold$/, 'holds') : what}`)
    .join(', ')}.`;
}

/** How the verdict comes out when distances are taken otherwise, a sentence; '' where there is one way only. */
export function turning({ others, turned, word }: JudgedClaim): string {
  if (others.length === 0 || word === 'not run') return '';
  if (turned.length === 0)
    return `Taken otherwise (${others.map(({ view }) => viewName(view)).join('; ')}), the verdict is the same.`;
  const said = others.filter(({ view }) => turned.includes(view)).map(({ view, word }) => `${viewName(view)}: ${word}`);
  return `The verdict turns: ${said.join('; ')}.`;
}

/** What a margin is, and why. */
export function marginInWords(analysis: Analysis): string {
  if (analysis.test !== 'not-less' && analysis.test !== 'equal') return '';
  const { size, relative = false, why } = analysis.margin;
  return `Margin ${relative ? percent(size, 0) : number(size)}: ${why}.`;
}

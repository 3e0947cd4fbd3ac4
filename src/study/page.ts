import { join } from 'node:path';
import type { Report } from '../measure/networks/record.js';
import { escaped, folded, NONE, table } from '../plot/table.js';
import { figures } from '../report/figures.js';
import { day, figureHtml, htmlPage, prose, unsized } from '../report/report.js';
import { writeAtomically } from '../storage/disk.js';
import { makeFolder } from '../surroundings/folders.js';
import type { Judged, Test } from './comparison.js';
import { BESIDE, viewName } from './distances.js';
import { forest } from './forest.js';
import { notRun, verdictsJson } from './json.js';
import type { JudgedClaim } from './judge.js';
import { commandFor, type StudyOutcome, scaleInWords, scaleOfClaim } from './outcome.js';
import {
  basis,
  chance,
  effect,
  effectInWords,
  marginInWords,
  partly,
  reason,
  SIGNS,
  size,
  turning,
  weakest,
} from './phrases.js';
import { robustTable } from './robust.js';
import type { Word } from './rules.js';
import { experimentsOf, type Unjudged } from './study.js';
import { experimentsTable, networksTable, provenance } from './tables.js';

/** Writes `verdicts.html` and `verdicts.json` into a folder. @returns the path of the page @throws {WeirError} naming a file that could not be written */
export function writeVerdicts(folder: string, outcome: StudyOutcome): string {
  makeFolder(folder);
  writeAtomically(join(folder, 'verdicts.json'), verdictsJson(outcome));
  const page = join(folder, 'verdicts.html');
  writeAtomically(page, verdictsHtml(outcome));
  return page;
}

/** The page of a study as one HTML file that needs nothing else: a table of all verdicts, and a section for each claim. */
export function verdictsHtml(outcome: StudyOutcome): string {
  const { study, createdAt, weir, claims, profile, notes, isRehearsal } = outcome;
  const scale = scaleInWords(outcome);
  const counts = (['holds', 'fails', 'not told apart', 'not run'] as const)
    .map((word) => [word, claims.filter((one) => one.word === word).length] as const)
    .filter(([, n]) => n > 0)
    .map(([word, n]) => `${badge(word)} ${n}`);
  const main = `<header>
<h1>${escaped(study.title)}</h1>
<p class="overview">${claims.length} claims${profile === '' ? '' : `, profile ${escaped(profile)}`}${isRehearsal ? ': a rehearsal' : ''} · ${counts.join(' · ')} · <time datetime="${escaped(createdAt)}">${escaped(day(createdAt))}</time></p>
</header>
<div class="verdict">${scale === '' ? '' : `<p><strong>${prose(scale)}</strong></p>`}<p>${prose(turned(claims))}</p><p>${prose(RULES)} ${prose(acrossPage(claims))}</p></div>
<section aria-labelledby="claims">
<h2 id="claims">Every claim</h2>
${claimsTable(outcome)}
${listed(notes)}
</section>
${claims.map((one) => claimSection(outcome, one)).join('\n')}
<section aria-labelledby="experiments">
<h2 id="experiments">The experiments, and what they cost</h2>
${experimentsTable(outcome)}
${networksTable(outcome)}
</section>
<section aria-labelledby="made">
<h2 id="made">How it was made</h2>
${provenance(outcome)}
</section>
${unjudged(study.notJudged)}`;
  return htmlPage({ title: study.title, weir }, main, `${wordStyle}\n`);
}

const RULES =
  'Comparisons were fixed before they were run, but where a note says otherwise. The unit of each is the seed, never the image; where two methods share seeds they are compared seed by seed, by Student’s t. A comparison is for the claim where its mean lies in the claimed region, and against it where it lies outside. A claim holds if all its comparisons hold, so its p is the largest of theirs; it fails if one is shown the other way round, whose p is multiplied by their number. Else it is not run while a comparison lacks results. The word is given at p < 0.05 by Holm’s method over the claims of one experiment; else the two are not told apart. ‘No difference’ and ‘about as much’ are tests of equivalence with a stated margin. Where seeds have no spread the sign test takes the place of Student’s t: it says that they agree, not by how much. With one seed nothing is told apart.';

const wordStyle = `main{max-width:1120px}
a{color:var(--accent)}
.word{font-weight:600;white-space:nowrap}
.holds{color:#00704f}.fails{color:#b34700}.open{color:var(--ink)}.idle{color:var(--quiet);font-weight:400}
.claim{margin-top:44px;border-top:1px solid var(--line);padding-top:4px}
.claim h2{margin-top:20px}
.said{font-size:17px;margin:0 0 8px}
.claim>p{max-width:76ch}
td.wrap,th.wrap{white-space:normal;text-align:left;min-width:13em}
.claims td,.claims thead th{text-align:left;white-space:normal}
.claims td:nth-child(2){min-width:17em}
.claims td:nth-child(3){min-width:11em}
.claims td:last-child{min-width:11em}
.claims code{font-size:11px}
tbody th .small{font-weight:400}
.small{display:block;color:var(--quiet);font-size:12px}
@media (prefers-color-scheme:dark){.holds{color:#33c79c}.fails{color:#ff8a3d}}`;

const classes: Readonly<Record<Word, string>> = {
  holds: 'holds',
  fails: 'fails',
  'not told apart': 'open',
  'not run': 'idle',
};

const badge = (word: Word): string => `<span class="word ${classes[word]}">${SIGNS[word]} ${word}</span>`;

/** Which verdicts depend on how distances are taken. */
function turned(claims: readonly JudgedClaim[]): string {
  const all = claims.filter(({ others, word }) => others.length > 0 && word !== 'not run');
  const turning = all.filter((one) => one.turned.length > 0);
  if (all.length === 0) return 'No claim on distances has results yet.';
  const twice = `Each of the ${all.length} claims on distances that have results is judged by the Tangent Attack, as in the paper, and by the nearest point of all attacks; over the images that each network gets right, and over those that all get right.`;
  if (turning.length === 0) return `${twice} No verdict turns.`;
  return `${twice} The verdict turns for ${turning.map(({ claim }) => claim.id).join(', ')}.`;
}

/** Which verdicts would not stand if all claims of the page were one family. */
function acrossPage(claims: readonly JudgedClaim[]): string {
  const tested = claims.filter(({ p }) => p !== null);
  if (tested.length === 0) return '';
  const lost = tested.filter(({ word, onPage }) => word !== onPage.word).map(({ claim }) => claim.id);
  const family = `By Holm’s method over all ${tested.length} claims of the page that were tested`;
  return lost.length === 0
    ? `${family}, no word is another.`
    : `${family}, neither held nor failed would be: ${lost.join(', ')}.`;
}

function claimsTable(outcome: StudyOutcome): string {
  const rows = outcome.claims.map((one) => {
    const { claim, word, comparisons } = one;
    const hanging = weakest(one);
    const [test] = hanging.tests;
    const more = comparisons.length > 1 ? `, one of ${comparisons.length}` : '';
    const shown =
      word === 'not run'
        ? [escaped(partly(one)) || NONE, NONE, NONE]
        : [effectCell(test, hanging, more), chance(one), escaped(basis(test))];
    return [
      `${badge(word)}${one.turned.length > 0 ? '<span class="small">turns</span>' : ''}`,
      `<a href="#${claim.id}">${escaped(claim.id)}</a> ${prose(claim.words)}<span class="small">${escaped(claim.where)}</span>`,
      ...shown,
      `<code>${escaped(commandFor(outcome, claim))}</code>`,
    ];
  });
  const heads = [
    outcome.isRehearsal ? 'Rehearsal' : 'Verdict',
    'Claim',
    'Effect [95 % interval]',
    'p (Holm)',
    'n',
    'Command',
  ];
  return `<div class="claims">${table('The effect is that of the comparison that the verdict hangs on: the surest against the claim, else the least sure for it.', heads, rows)}</div>`;
}

function effectCell(test: Test, judged: Judged, more: string): string {
  return `${prose(effectInWords(test, judged))}<span class="small">${escaped(judged.measure.name)}${more}</span>`;
}

function claimSection(outcome: StudyOutcome, judged: JudgedClaim): string {
  const { claim, word, comparisons } = judged;
  const drawn = forest(comparisons);
  const said = [
    reason(judged),
    turning(judged),
    claim.note ?? '',
    scaleOfClaim(outcome, claim),
    [...new Set(comparisons.map(({ analysis }) => marginInWords(analysis)).filter(Boolean))].join(' '),
    word === 'not run' ? `What is left: ${notRun(outcome, claim)}.` : '',
  ].filter(Boolean);
  return `<section class="claim" aria-labelledby="${claim.id}">
<h2 id="${claim.id}">${badge(word)} ${escaped(claim.id)}</h2>
<p class="said">${prose(claim.words)} <span class="small">${escaped(claim.where)}</span></p>
${said.map((one) => `<p>${prose(one)}</p>`).join('\n')}
${
  drawn === null
    ? ''
    : `<figure><div class="panels columns-${drawn.columns}">${drawn.panels.map(({ svg, width }) => `<div class="panel" style="max-width:${width}px">${unsized(svg)}</div>`).join('')}</div>
<figcaption><p>${prose('Dot and bar: the mean and its 95 % interval over seeds; gray: single seeds. Dashed: the end of the region that the claim says.')}</p></figcaption></figure>`
}
${comparisonsTable(comparisons)}
${robustTable(outcome.networks, claim)}
${ownFigure(outcome, judged)}
<p><code>${escaped(commandFor(outcome, claim))}</code></p>
</section>`;
}

function comparisonsTable(comparisons: readonly Judged[]): string {
  const rows = comparisons.flatMap((judged) => {
    if (judged.checked !== undefined || judged.tests[0].estimate === null) return [];
    const all = [...judged.tests, ...judged.beside].filter(({ estimate }) => estimate !== null);
    return all.map((test, i) => [
      i === 0 ? escaped(judged.label) : `<span class="small">${escaped(viewName(test.view!))}</span>`,
      test.view !== undefined && BESIDE.includes(test.view) ? NONE : badge(test.word),
      ...means(test, judged),
      prose(effect(test, judged)),
      chance(test),
      escaped(basis(test)),
    ]);
  });
  if (rows.length === 0) return '';
  const shown = table(
    'Means over seeds, in the order of the comparison.',
    ['Comparison', 'By itself', 'Means', 'Effect [95 % interval]', 'p', 'n'],
    rows,
  );
  return rows.length > 8 ? folded(`The numbers of ${rows.length} tests`, shown) : shown;
}

const means = ({ means }: Test, { measure, analysis }: Judged): string[] => {
  const one = { measure, analysis: { test: 'above' } } as unknown as Judged;
  const plain = {
    ...one,
    measure: analysis.test === 'not-less' || analysis.test === 'equal' ? { ...measure, unit: '' } : measure,
  };
  return [escaped(means.map((value) => size(value, plain)).join(' · '))];
};

/** The figure of the report that shows the claim, where its networks have the numbers. */
function ownFigure(outcome: StudyOutcome, { claim }: JudgedClaim): string {
  if (claim.figure === undefined) return '';
  const own = outcome.networks.filter(({ experiment }) => experimentsOf(claim).includes(experiment));
  const pipeline = own[0]?.network.pipeline;
  if (pipeline === undefined) return '';
  const networks = own.map(({ network }) => network).filter((one) => one.pipeline === pipeline);
  const report: Report = {
    ...{ title: '', pipeline, createdAt: outcome.createdAt, weir: outcome.weir, machine: '', runtime: '', config: {} },
    networks,
    figures: { [pipeline]: [claim.figure] },
    notes: [],
  };
  const [drawn] = figures(report).filter(
    ({ id }) => id === claim.figure!.figure || id.endsWith(`-${claim.figure!.figure}`),
  );
  return drawn === undefined ? '' : folded(drawn.title, figureHtml({ ...drawn, id: `${claim.id}-${drawn.id}` }));
}

/** What the paper claims and no comparison judges. */
function unjudged(all: readonly Unjudged[]): string {
  if (all.length === 0) return '';
  const rows = all.map(({ where, words, why }) => [escaped(where), prose(words), prose(why)]);
  return `<section aria-labelledby="not-judged">
<h2 id="not-judged">Not judged</h2>
<div class="claims">${table('Claims of the paper that none of these experiments can tell of.', ['Where', 'Claim', 'Why'], rows)}</div>
</section>`;
}

const listed = (sentences: readonly string[]): string =>
  sentences.length === 0 ? '' : `<ul class="notes">${sentences.map((one) => `<li>${prose(one)}</li>`).join('')}</ul>`;

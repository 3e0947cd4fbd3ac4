import { dirname, join } from 'node:path';
import { portfolioTable } from '../measure/attack/portfolio-table.js';
import { robustTable } from '../measure/attack/robust-figure.js';
import { byTraining, countOfNetworks } from '../measure/networks/groups.js';
import type { Report } from '../measure/networks/record.js';
import { captionParts, type Figure, sample } from '../plot/figure.js';
import { compose, pdf, raster } from '../plot/figure-file.js';
import { style } from '../plot/style.js';
import { escaped, folded } from '../plot/table.js';
import { onDisk, writeAtomically } from '../storage/disk.js';
import { makeFolder } from '../surroundings/folders.js';
import { figures, RANKING_FIGURES } from './figures.js';
import { reportJson } from './json.js';
import { referenceTables } from './reference.js';
import {
  comparisonsTable,
  differencesTables,
  layersTable,
  networksTable,
  rankingTable,
  regularizersTable,
} from './tables.js';
import { remarks, verdict } from './verdict.js';

const FOLDED = 24; // networks: the table of more is folded away

/** A page of ours as one HTML file that needs nothing else: style and drawings inside. @param main what stands in its `<main>` @param more CSS after the common style */
export function htmlPage(
  { title, weir }: { readonly title: string; readonly weir: string },
  main: string,
  more = '',
): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Weir ${escaped(weir)}">
<title>${escaped(title)}</title>
<style>
${style()}
${more}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

/** The report as one HTML file that needs nothing else: style and drawings inside, no script, no network. */
export function reportHtml(report: Report, drawn: readonly Figure[] = figures(report)): string {
  const seeds = new Set(report.networks.map((network) => network.seed)).size;
  const overview = [
    [...new Set(report.networks.map((network) => network.pipeline))].join(', ') || report.pipeline,
    countOfNetworks(report.networks),
    quantity(seeds, 'seed'),
  ];
  const main = `<header>
<h1>${escaped(report.title)}</h1>
<p class="overview">${overview.map(escaped).join(' · ')} · <time datetime="${escaped(report.createdAt)}">${escaped(day(report.createdAt))}</time></p>
</header>
${rankingSection(report, drawn)}${details(report, drawn)}
<section aria-labelledby="made">
<h2 id="made">How it was made</h2>
<dl>
<dt>Weir</dt><dd>${escaped(report.weir)}</dd>
<dt>Report made by</dt><dd>${escaped(report.runtime)}</dd>
<dt>On</dt><dd>${escaped(report.machine)}</dd>
${provenance(report)}<dt>Runs</dt><dd>${runs(report)}</dd>
</dl>
<details>
<summary>${report.differences ? `Configuration of ${escaped(report.networks[0]?.run ?? 'the first run')}; that of the others differs by what the settings say` : 'Configuration'}</summary>
<pre tabindex="0">${escaped(JSON.stringify(report.config, null, 2))}</pre>
</details>
</section>`;
  return htmlPage(report, main);
}

/** Which setting is the best, of a report that ranks them: all of it on two screens, with what else there is folded away below. */
function rankingSection(report: Report, drawn: readonly Figure[]): string {
  const ranked = rankingTable(report);
  if (ranked === '') return '';
  return `<section aria-labelledby="ranking">
<h2 id="ranking">Which setting</h2>
${ranked}
</section>
${drawn.filter(isOfRanking).map(section).join('\n')}
`;
}

const isOfRanking = ({ id }: Figure): boolean => RANKING_FIGURES.includes(id);

function details(report: Report, drawn: readonly Figure[]): string {
  const all = `${differencesSection(report)}<div class="verdict">${verdict(report)
    .split('\n')
    .map((text) => `<p>${prose(text)}</p>`)
    .join('')}</div>
<section aria-labelledby="summary">
<h2 id="summary">In numbers</h2>
${regularizersTable(report)}
${portfolioTable(report)}
${robustTable(report)}
${referenceTables(report)}
${listed(report.rankedBy === undefined ? [...report.notes, ...remarks(report)] : remarks(report))}
</section>
${drawn
  .filter((figure) => !isOfRanking(figure))
  .map(section)
  .join('\n')}
${comparisonSection(report)}
<section aria-labelledby="networks">
<h2 id="networks">Every network</h2>
${everyNetwork(report)}
${folded('σ of every layer', layersTable(report))}
</section>`;
  if (report.rankedBy === undefined) return all;
  return `${listed(report.notes)}<details class="rest">
<summary>Every setting by itself: methods compared, all figures, each network</summary>
${all}
</details>`;
}

function everyNetwork(report: Report): string {
  const all = networksTable(report);
  const { length } = byTraining(report.networks);
  return length > FOLDED ? folded(`The numbers of ${length} networks, one by one`, all) : all;
}

function differencesSection(report: Report): string {
  const tables = differencesTables(report);
  if (tables === '') return '';
  return `<section aria-labelledby="differences">
<h2 id="differences">What differs between the runs</h2>
${tables}
</section>
`;
}

function comparisonSection(report: Report): string {
  const table = comparisonsTable(report);
  if (table === '') return '';
  return `<section aria-labelledby="comparisons">
<h2 id="comparisons">Method against method</h2>
${table}
</section>`;
}

function section(figure: Figure): string {
  return `<section aria-labelledby="${figure.id}">
<h2 id="${figure.id}">${escaped(figure.title)}</h2>
${figureHtml(figure)}
</section>`;
}

/** A figure with its legend and caption, without a heading, as an element of a page with this style sheet. */
export function figureHtml(figure: Figure): string {
  const panels = figure.panels.map(
    ({ svg, robust, width, heading }) =>
      `${heading === undefined ? '' : `<h3>${escaped(heading)}</h3>\n`}<div class="panel" style="max-width:${width}px">${robust === undefined ? unsized(svg) : `<div class="whole">${unsized(svg)}</div><div class="robust">${unsized(robust)}</div>`}</div>`,
  );
  const isSwitched = figure.panels.some(({ robust }) => robust !== undefined);
  const key = figure.key
    ? `<div class="panel key" style="max-width:${figure.key.width}px">${unsized(figure.key.svg)}</div>\n`
    : '';
  const texts = captionParts(figure).map(
    ({ lead, text }) => `<p>${lead ? `<strong>${lead}</strong>` : ''}${prose(text)}</p>`,
  );
  return `<figure>
${legend(figure)}${isSwitched ? outliersSwitch(figure) : ''}${key}<div class="panels columns-${figure.columns}">
${panels.join('\n')}
</div>
<figcaption>${texts.join('')}${isSwitched ? OUTLIERS : ''}</figcaption>
</figure>`;
}

/** A switch without a script: the style sheet shows one drawing of each panel or the other, by what is checked before them. */
const outliersSwitch = ({ id }: Figure): string =>
  `<input type="checkbox" class="outliers" id="${id}-outliers"><label for="${id}-outliers">outliers</label>\n`;

const OUTLIERS =
  '<p>Axes that a few values would flatten span the rest, from the second to the 98th percentile: ‘outliers’ shows all, as the files of this figure do.</p>';

function legend({ legend: entries }: Figure): string {
  if (entries.length === 0) return '';
  const items = entries.map(
    (entry) =>
      `<li><svg width="28" height="18" viewBox="0 0 28 18" aria-hidden="true">${sample(entry)}</svg>${escaped(entry.label)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>\n`;
}

/** Drawings fill the width they are given: their own is in the view box. */
export function unsized(svg: string): string {
  return svg.replace(/<svg [^>]*>/, (tag) => tag.replace(/ (?:width|height)="[^"]*"/g, ''));
}

/** Running text; a number keeps its per cent sign on the same line. */
export function prose(text: string): string {
  return escaped(text).replace(/(\d) %/g, '$1&nbsp;%');
}

/** How the runs were made, a group of terms for those that were made alike. */
function provenance({ provenance = [], command }: Report): string {
  const terms = provenance.flatMap(({ runs, runtime, threads, commit, data }) => {
    const which = runs.length > NAMED ? quantity(runs.length, 'run') : runs.join(', ');
    return [
      ['Made', provenance.length > 1 ? escaped(which) : ''],
      ['Runtime', escaped(runtime)],
      ['Threads', escaped(threads)],
      ['Commit', commit === '' ? '' : `<code>${escaped(commit)}</code>`],
      ['Data', data.map(escaped).join('<br>')],
    ];
  });
  const all = [...terms, ['Command', command === undefined ? '' : `<code>${escaped(command)}</code>`]];
  return all.flatMap(([term, said]) => (said === '' ? [] : [`<dt>${term}</dt><dd>${said}</dd>\n`])).join('');
}

const NAMED = 4; // runs; more are folded away

function runs({ networks }: Report): string {
  const names = [...new Set(networks.map(({ run }) => run))];
  const all = names.map((run) => `<code>${escaped(run)}</code>`).join('<br>');
  return names.length > NAMED ? folded(`${names.length} runs`, all) : all;
}

function listed(sentences: readonly string[]): string {
  return sentences.length > 0
    ? `<ul class="notes">${sentences.map((one) => `<li>${prose(one)}</li>`).join('')}</ul>`
    : '';
}

/** A time for a reader: the day and the minute. */
export function day(iso: string): string {
  return iso.replace('T', ' ').replace(/(\d\d:\d\d):\d\d(?:\.\d+)?/, '$1');
}

function quantity(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Where a report was written: paths below the folder it was given. */
export interface WrittenReport {
  readonly html: string;
  readonly json: string;
  /** Each figure as SVG, as PNG, and as PDF for a paper. */
  readonly figures: string[];
}

/**
 * Writes `report.html`, `report.json` and `figures/*.svg`, `*.png` and `*.pdf` into a folder, making it where it is missing.
 *
 * Each file is written whole or not at all, so a reader never meets half of one.
 *
 * @throws WeirError naming the file that could not be written
 * @example const { html } = await writeReport('comparison', report);
 */
export async function writeReport(folder: string, report: Report): Promise<WrittenReport> {
  const drawn = figures(report);
  const pictures: string[] = [];
  for (const figure of drawn) {
    const svg = compose(figure);
    pictures.push(put(folder, join('figures', `${figure.id}.svg`), svg));
    pictures.push(put(folder, join('figures', `${figure.id}.png`), await raster(svg)));
    pictures.push(put(folder, join('figures', `${figure.id}.pdf`), await pdf(figure, new Date(report.createdAt))));
  }
  const json = put(folder, 'report.json', reportJson(report));
  const html = put(folder, 'report.html', reportHtml(report, drawn)); // last: it is what says "done"
  return { html, json, figures: pictures };
}

function put(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  onDisk(`make the folder ${dirname(path)}`, () => makeFolder(dirname(path)), again);
  writeAtomically(path, content, { remedy: again });
  return path;
}

const again = 'make room, or the folder writable, and write the report again: nothing of the run is lost';

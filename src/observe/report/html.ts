import { look } from './colours.js';
import type { Report } from './data.js';
import { escaped } from './escaped.js';
import { figures } from './figures/all.js';
import type { Figure } from './figures/figure.js';
import { remarks } from './remarks.js';
import { style } from './style.js';
import { networksTable, regularisersTable } from './tables.js';
import { verdict } from './verdict.js';

/** The report as one HTML file that needs nothing else: style and drawings inside, no script, no network. */
export function reportHtml(report: Report, drawn: readonly Figure[] = figures(report)): string {
  const seeds = new Set(report.networks.map((network) => network.seed)).size;
  const facts = [
    [...new Set(report.networks.map((network) => network.pipeline))].join(', ') || report.pipeline,
    quantity(report.networks.length, 'network'),
    quantity(seeds, 'seed'),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Weir ${escaped(report.weir)}">
<title>${escaped(report.title)}</title>
<style>
${style()}
</style>
</head>
<body>
<main>
<header>
<h1>${escaped(report.title)}</h1>
<p class="facts">${facts.map(escaped).join(' · ')} · <time datetime="${escaped(report.createdAt)}">${escaped(day(report.createdAt))}</time></p>
</header>
<div class="verdict">${verdict(report)
    .split('\n')
    .map((text) => `<p>${prose(text)}</p>`)
    .join('')}</div>
<section aria-labelledby="summary">
<h2 id="summary">In numbers</h2>
${regularisersTable(report)}
${notes(report)}
</section>
${drawn.map(section).join('\n')}
<section aria-labelledby="networks">
<h2 id="networks">Every network</h2>
${networksTable(report)}
</section>
<section aria-labelledby="made">
<h2 id="made">How it was made</h2>
<dl>
<dt>Weir</dt><dd>${escaped(report.weir)}</dd>
<dt>Runtime</dt><dd>${escaped(report.runtime)}</dd>
<dt>Machine</dt><dd>${escaped(report.machine)}</dd>
<dt>Runs</dt><dd>${[...new Set(report.networks.map((network) => network.run))].map((run) => `<code>${escaped(run)}</code>`).join('<br>')}</dd>
</dl>
<details>
<summary>Configuration</summary>
<pre tabindex="0">${escaped(JSON.stringify(report.config, null, 2))}</pre>
</details>
</section>
</main>
</body>
</html>
`;
}

function section(figure: Figure): string {
  const panels = figure.panels.map(
    ({ svg, width }) => `<div class="panel" style="max-width:${width}px">${unsized(svg)}</div>`,
  );
  const said = [figure.reading, figure.paper, figure.outcome].filter((text) => text !== null);
  return `<section aria-labelledby="${figure.id}">
<h2 id="${figure.id}">${escaped(figure.title)}</h2>
<figure>
${legend(figure)}<div class="panels columns-${figure.columns}">
${panels.join('\n')}
</div>
<figcaption>${said.map((text) => `<p>${prose(text)}</p>`).join('')}</figcaption>
</figure>
</section>`;
}

function legend({ legend: entries }: Figure): string {
  if (entries.length === 0) return '';
  const items = entries.map(({ label, regulariser }) => {
    const { light, dash } = look(regulariser);
    return `<li><svg width="28" height="10" aria-hidden="true"><line x1="0" x2="28" y1="5" y2="5" stroke="${light}" stroke-width="2.5" stroke-dasharray="${dash}"/></svg>${escaped(label)}</li>`;
  });
  return `<ul class="legend">${items.join('')}</ul>\n`;
}

/** Drawings fill the width they are given: their own is in the view box. */
function unsized(svg: string): string {
  return svg.replace(/<svg [^>]*>/, (tag) => tag.replace(/ (?:width|height)="[^"]*"/g, ''));
}

/** Running text; a number keeps its per cent sign on the same line. */
function prose(text: string): string {
  return escaped(text).replace(/(\d) %/g, '$1&nbsp;%');
}

function notes(report: Report): string {
  const all = [...report.notes, ...remarks(report)];
  return all.length > 0 ? `<ul class="notes">${all.map((note) => `<li>${prose(note)}</li>`).join('')}</ul>` : '';
}

function day(iso: string): string {
  return iso.replace('T', ' ').replace(/(\d\d:\d\d):\d\d(?:\.\d+)?/, '$1');
}

function quantity(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

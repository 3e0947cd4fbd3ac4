import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { reportJson } from '../../src/report/json.js';
import { reportHtml } from '../../src/report/report.js';
import { network, pictured, report } from './example.js';

const attack = { iterations: 40, samples: [pictured(0, 1.5), pictured(1, 2.5)] };
const full = report([network('none', 0, [], { attack }), network('rep-spectral', 0, [], { attack })]);

test('asks nothing of a network and runs no script', () => {
  const html = reportHtml(full).replaceAll('http://www.w3.org/2000/svg', '');
  expect(html.match(/https?:|<script|<link|@import|url\(/)).toBeNull();
});

test('every drawing says what it is, every section and table has its heading', () => {
  const { document } = parseHTML(reportHtml(full));
  const drawings = [...document.querySelectorAll('.panel > svg')];
  expect(drawings.length).toBeGreaterThan(7);
  for (const svg of drawings) expect(svg.getAttribute('aria-label')).toBeTruthy();
  expect(document.querySelectorAll('section > h2').length).toBe(document.querySelectorAll('section').length);
  expect(document.querySelectorAll('table > caption').length).toBe(4);
});

test("names with markup in them stay text, a user's config too", () => {
  const html = reportHtml(report([network('<b>"&', 0, [1])], { title: '<script>', config: { data: '</pre><i>' } }));
  expect(html.match(/<script|<b>|<i>/)).toBeNull();
  expect(html.includes('&lt;b&gt;&quot;&amp;')).toBe(true);
});

test('a report without networks is still a page', () => {
  expect(reportHtml(report([])).includes('The report holds no network.')).toBe(true);
});

test('a network that several settings share counts once, and has one row', () => {
  const networks = ['gamma=1', 'gamma=2'].flatMap((setting, i) => [
    network('none', 0, [1, 2], { setting, run: `runs/${i}`, trainedBy: 'runs/unregularized' }),
    network('rep-spectral', 0, [1, 2], { setting, run: `runs/${i}` }),
  ]);
  const page = reportHtml(report(networks));
  expect(page).toContain('3 networks, 1 of them shared by settings');
  const rows = [...parseHTML(page).document.querySelectorAll('#networks ~ * tbody th, #networks ~ table tbody th')];
  expect(rows.map((row) => row.textContent)).toEqual([
    'none, shared by 2 settings',
    'gamma=1: rep-spectral',
    'gamma=2: rep-spectral',
  ]);
  expect(reportHtml(report(networks.map(({ trainedBy: _, ...one }) => one)))).toContain('4 networks ·');
});

test('what differs between runs stands first, and in the JSON; where nothing does there is no table', () => {
  const networks = ['rate=0.1', 'rate=<b>'].map((setting) => network('none', 0, [1, 2], { setting }));
  const conditions = [
    { setting: 'rate=0.1', values: ['0.1', null], runs: ['runs/a', 'runs/b'] },
    { setting: 'rate=<b>', values: ['<b>', '8'], runs: ['runs/1', 'runs/2', 'runs/3', 'runs/4'] },
  ];
  const differing = report(networks, { differences: [{ pipeline: 'mnist', keys: ['rate', 'hidden'], conditions }] });
  const page = reportHtml(differing);
  const [table, verdict] = ['What differs between the runs', 'class="verdict"'].map((text) => page.indexOf(text));
  expect(table).toBeGreaterThan(0);
  expect(table).toBeLessThan(verdict!);
  expect(page).toContain('rate=&lt;b&gt;</th><td>&lt;b&gt;</td><td>8</td><td>4 runs</td>');
  expect(page).toContain('<td>0.1</td><td>–</td><td><code>runs/a</code><br><code>runs/b</code></td>');
  expect(JSON.parse(reportJson(differing)).differences).toEqual([
    { pipeline: 'mnist', keys: ['rate', 'hidden'], conditions },
  ]);
  expect(reportHtml(report(networks))).not.toContain('What differs');
});

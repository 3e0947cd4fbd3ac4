import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { reportHtml } from '../../../src/observe/report/html.js';
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
  expect(document.querySelectorAll('table > caption').length).toBe(3);
});

test("names with markup in them stay text, a user's config too", () => {
  const html = reportHtml(report([network('<b>"&', 0, [1])], { title: '<script>', config: { data: '</pre><i>' } }));
  expect(html.match(/<script|<b>|<i>/)).toBeNull();
  expect(html.includes('&lt;b&gt;&quot;&amp;')).toBe(true);
});

test('a report without networks is still a page', () => {
  expect(reportHtml(report([])).includes('The report holds no network.')).toBe(true);
});

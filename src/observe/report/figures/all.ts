import type { Report } from '../data.js';
import { distribution } from './distribution.js';
import type { Figure } from './figure.js';
import { learning } from './learning.js';
import { pictures } from './pictures.js';
import { robustness } from './robustness.js';
import { sigma } from './sigma.js';

/** Every figure that the report has the numbers for, in the order of the page. */
export function figures(report: Report): Figure[] {
  return [robustness, distribution, learning, sigma, pictures].flatMap((draw) => draw(report) ?? []);
}

import { fitsOf, fitted } from '../measure/networks/fits.js';
import type { Report } from '../measure/networks/record.js';
import { groups, startedOlder } from '../measure/networks/report-groups.js';
import { correctSamples, foundSamples } from '../measure/networks/report-summary.js';

/** What the numbers leave out or count twice, a sentence each: a reader of the means should know. */
export function remarks(report: Report): string[] {
  const fits = fitted(report.networks.flatMap(fitsOf));
  return [...(fits ? [fits] : []), ...ofGroups(report)];
}

function ofGroups(report: Report): string[] {
  return groups(report).flatMap(({ label, networks }) => {
    const older = networks.filter(startedOlder);
    const runs = [...new Set(older.map(({ run }) => run))].join(', ');
    const correct = networks.reduce((sum, network) => sum + correctSamples(network).length, 0);
    const missing = networks.flatMap((network) => {
      const found = new Set(foundSamples(network).map(({ index }) => index));
      return correctSamples(network).filter(({ index }) => !found.has(index));
    });
    const outcomes = [...new Set(missing.map(({ outcome }) => outcome))].join(', ');
    const seeds = networks.map(({ seed }) => seed);
    const twice = [...new Set(seeds.filter((seed, i) => seeds.indexOf(seed) !== i))];
    return [
      ...(older.length > 0
        ? [
            `${label}: ${older.length === 1 ? 'a network was' : `${older.length} networks were`} attacked by an older Weir (${runs}), whose attack had a start that makes distances too long, single ones by two thirds or more; weir attack RUN attacks again.`,
          ]
        : []),
      ...(missing.length > 0
        ? [
            `${label}: ${missing.length} of ${correct} correctly classified samples came out without an adversarial one (${outcomes}); means and medians leave them out, so they are no larger than the true ones.`,
          ]
        : []),
      ...(twice.length > 0
        ? [
            `${label}: seed ${twice.join(', ')} is there more than once; means and intervals count each seed once, by the mean of its networks.`,
          ]
        : []),
    ];
  });
}

import type { Fit, NetworkReport } from './record.js';

/** How some readouts were fitted, and whether they converged, a sentence for each way; '' for none. */
export function fitted(fits: readonly Fit[]): string {
  const ways = [...new Set(fits.map(wayOf))];
  return ways
    .map((way) => {
      const own = fits.filter((fit) => wayOf(fit) === way);
      const early = own.filter(({ converged }) => !converged).length;
      const counts = own.flatMap(({ iterations }) => iterations ?? []);
      const [least, most] = [Math.min(...counts), Math.max(...counts)];
      const after = counts.length === 0 ? '' : ` (${least === most ? least : `${least} to ${most}`} iterations)`;
      const how = own.length === 1 ? 'The fit' : `All ${own.length} fits`;
      const ended =
        early === 0
          ? `${how} converged${after}.`
          : `${early} of ${own.length} fits stopped before ${own.length === 1 ? 'it' : 'they'} converged${after}.`;
      return `${way} ${ended}`;
    })
    .join(' ');
}

/** The fits of readouts that a network's numbers are of: fitted anew after training, or as the classifier on learned features. */
export const fitsOf = ({ readout, classifier }: NetworkReport): Fit[] =>
  [readout, classifier].flatMap((fit) => fit ?? []);

function wayOf({ fit, iterationLimit }: Fit): string {
  const limit = iterationLimit === null ? '' : `, at most ${iterationLimit.toLocaleString('en-US')} iterations`;
  if (fit === 'scikit-learn') return `Readouts are fitted by scikit-learn's default${limit}.`;
  if (fit === 'converged') return `Readouts are fitted until they converge${limit}.`;
  return 'How readouts were fitted is not in the log, which is of an earlier version.';
}

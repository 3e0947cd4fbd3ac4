import { palette } from './palette.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The colour of a look on the page as it is, light or dark. */
export const colour = (look) => (dark.matches ? look.dark : look.light);

const names = {
  'updates loss': 'batch',
  'updates epochLoss': 'training',
  'updates epochAccuracy': 'training',
  'tests loss': 'test',
  'tests accuracy': 'test',
};

/** What a curve is called; with its network where several are shown. */
export function labelOf({ network, stream, field }, one) {
  const what = field.startsWith('sigma.') ? field.slice(6) : (names[`${stream} ${field}`] ?? `${stream} ${field}`);
  return one ? what : `${network}: ${what}`;
}

const dashes = [[], [7, 3], [2.5, 2.5], [9, 3, 2, 3]];
const kinds = Object.values(palette.known);

/** How a curve looks: by network where all are shown, as in the report; else by what it is. */
export function lookOf({ network, stream, field }, i, one) {
  if (one) {
    const order = {
      'updates loss': 0,
      'updates epochLoss': 3,
      'updates epochAccuracy': 3,
      'tests loss': 1,
      'tests accuracy': 1,
    };
    const at = order[`${stream} ${field}`] ?? i;
    return {
      ...[...kinds.slice(3), ...kinds.slice(1, 3), ...palette.others][at % 12],
      ...(order[`${stream} ${field}`] === undefined ? {} : kinds[order[`${stream} ${field}`]]),
      dash: dashes[Math.floor(i / 6) % 4],
    };
  }
  const regulariser = network.replace(/-s\d+$/, '');
  let sum = 0;
  for (const letter of regulariser) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  const look = palette.known[regulariser] ?? palette.others[sum % palette.others.length];
  return { ...look, dash: stream === 'tests' ? [7, 3] : field === 'loss' ? [1.5, 3] : [] };
}

/** The report's colors. */
const palette = await (await fetch('/palette.json')).json();

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The color of a look on the page as it is, light or dark. */
export const color = (look) => (dark.matches ? look.dark : look.light);

const names = {
  'updates loss': 'batch',
  'updates epochLoss': 'training',
  'updates epochAccuracy': 'training',
  'updates rate': 'rate',
  'tests loss': 'test',
  'tests accuracy': 'test',
};

/** What a curve is called; with its network where several are shown. */
export function labelOf({ network, stream, field }, one) {
  const what = field.startsWith('sigma.') ? field.slice(6) : (names[`${stream} ${field}`] ?? `${stream} ${field}`);
  return one ? what : `${network}: ${what}`;
}

const dashes = [[], [7, 3], [2.5, 2.5], [9, 3, 2, 3]];
const { none, 'll-spectral': orange, 'rep-spectral': blue } = palette.known;
const ring = [...Object.values(palette.known).slice(3), ...Object.values(palette.known).slice(1, 3), ...palette.others];
const fixed = {
  'updates loss': none,
  'updates epochLoss': blue,
  'updates epochAccuracy': blue,
  'tests loss': orange,
  'tests accuracy': orange,
};

/** How the `i`-th curve looks: by network where all are shown, as in the report; else by what it is. */
export function lookOf({ network, stream, field }, i, one) {
  if (one) {
    return {
      ...(fixed[`${stream} ${field}`] ?? ring[i % ring.length]),
      dash: dashes[Math.floor(i / ring.length) % dashes.length],
    };
  }
  const regularizer = network.replace(/-s\d+$/, '');
  let sum = 0;
  for (const letter of regularizer) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  const look = palette.known[regularizer] ?? palette.others[sum % palette.others.length];
  return { ...look, dash: dashOf(stream, field, i) };
}

function dashOf(stream, field, i) {
  if (field.startsWith('sigma.')) return dashes[i % dashes.length];
  return stream === 'tests' ? [7, 3] : field === 'loss' ? [1.5, 3] : [];
}

/** The report's colors. */
const palette = await (await fetch('/palette.json')).json();

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The color of a style on the page as it is, light or dark. */
export const color = (style) => (dark.matches ? style.dark : style.light);

/** A field's name in words, as the record schema makes labels of it. */
const inWords = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** What a curve is called among those that are drawn with it; with its network where several are shown. */
export function labelOf({ network, stream, field, part }, one, beside) {
  const several = beside.some((other) => other.stream === stream && other.network === network && other.field !== field);
  const label = part || (several ? `${stream} ${inWords(field)}` : stream);
  return one ? label : `${network}: ${label}`;
}

const dashes = [[], [7, 3], [2.5, 2.5], [9, 3, 2, 3]];
const { none, 'll-spectral': orange, 'rep-spectral': blue } = palette.known;
const ring = [...Object.values(palette.known).slice(3), ...Object.values(palette.known).slice(1, 3), ...palette.others];

/** Colors that a role always has where one network is shown. */
const ofRole = { training: { headline: blue, other: none }, test: { headline: orange, other: orange } };

/** How the `i`-th curve looks: by network where all are shown, as in the report; else by its role. */
export function styleOf({ network, role, part, about }, i, one) {
  if (one) {
    const fixed = ofRole[role]?.[about.headline ? 'headline' : 'other'];
    return { ...(fixed ?? ring[i % ring.length]), dash: dashes[Math.floor(i / ring.length) % dashes.length] };
  }
  return { ...networkColors(network), dash: part ? dashes[i % dashes.length] : role === 'test' ? [7, 3] : [] };
}

/** A network's colors, light and dark: those of its regularizer. */
export function networkColors(network) {
  const regularizer = network.replace(/-s\d+$/, '');
  let sum = 0;
  for (const letter of regularizer) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return palette.known[regularizer] ?? palette.others[sum % palette.others.length];
}

/**
 * A label with its unit, as the title of a drawing.
 *
 * @param {{ label: string, unit?: string }} about
 */
export function titleOf({ label, unit }) {
  const title = unit === undefined || unit === 'fraction' ? label : `${label} (${unit})`;
  return title.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

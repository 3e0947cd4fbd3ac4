/** How one regulariser looks in every figure: told apart by hue, by lightness in grey print, and by dash. */
export interface Look {
  /** On white, and in every PNG. */
  readonly light: string;
  /** On a dark page. */
  readonly dark: string;
  /** `stroke-dasharray`; 'none' for a solid line. */
  readonly dash: string;
}

/** Okabe and Ito's palette, safe for colour-blind readers, each with a lighter form for dark pages. */
const LOOKS: Readonly<Record<string, Look>> = {
  none: { light: '#333333', dark: '#d6d6d6', dash: 'none' },
  'll-spectral': { light: '#d55e00', dark: '#ff8a3d', dash: '7 3' },
  'readout-spectral': { light: '#b5559a', dark: '#e39bc8', dash: '2.5 2.5' },
  'rep-spectral': { light: '#0072b2', dark: '#56b4e9', dash: 'none' },
  'batch-spectral-shrinkage': { light: '#00825f', dark: '#33c79c', dash: '9 3 2 3' },
};

const OTHERS: readonly Look[] = [
  { light: '#a67c00', dark: '#f0c419', dash: '7 3' },
  { light: '#5b4bb7', dark: '#a99bff', dash: '2.5 2.5' },
  { light: '#4f7a28', dark: '#9bd069', dash: '9 3 2 3' },
];

/** Single seeds, beside the coloured mean of all. */
export const SEED = { light: '#8c8c8c', dark: '#9a9a9a' };

/** The look of a regulariser: fixed for those of the paper; any other gets one by its name, the same in every report. */
export function look(regulariser: string): Look {
  const known = LOOKS[regulariser];
  if (known) return known;
  let sum = 0;
  for (const letter of regulariser) sum = (sum * 31 + letter.codePointAt(0)!) % 9973;
  return OTHERS[sum % OTHERS.length]!;
}

/** CSS that turns the light colours of inline figures into the dark ones. */
export function darkRules(): string {
  return [...Object.values(LOOKS), ...OTHERS, SEED]
    .map(({ light, dark }) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`)
    .join('\n');
}

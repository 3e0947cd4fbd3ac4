/** Widths of letters in the report's font (Inter), in parts of its size, rounded up to a twentieth. */
const WIDTHS: readonly (readonly [letters: string, width: number])[] = [
  ['ijl', 0.25],
  [" !',.:I\u00a0", 0.3],
  [';`t|', 0.35],
  ['()/[\\]fr', 0.4],
  ['1{}²', 0.45],
  ['"-^_–°', 0.5],
  ['*?ksx', 0.55],
  ['57FJLacehnouvyzγ', 0.6],
  ['#$&0234689EPRSTZbdgpqσθ√λ', 0.65],
  ['+<=>ABKVXY~Δ±', 0.7],
  ['CDGHU', 0.75],
  ['NOQ', 0.8],
  ['w', 0.85],
];

const ROUNDED = 0.97; // what the rounding adds, most of it taken back
const OTHER = 1;
const BOLD = 1.02; // times that

const widths = new Map(WIDTHS.flatMap(([letters, width]) => [...letters].map((letter) => [letter, width] as const)));

/** How wide a text is drawn, in pixels, a little more than less; exact enough to break and to cut by. */
export function textWidth(text: string, size = 12, { bold = false } = {}): number {
  const whole = [...text].reduce((sum, letter) => sum + (widths.get(letter) ?? OTHER), 0);
  return ROUNDED * whole * size * (bold ? BOLD : 1);
}

/** A regularizer's name in so many pixels: whole, else with the paper's abbreviation, else cut. */
export function shortened(name: string, room: number, { bold = false } = {}): string {
  const fits = (text: string) => textWidth(text, 12, { bold }) <= room;
  const known = name.replaceAll('batch-spectral-shrinkage', 'BSS');
  const whole = [name, known].find(fits);
  if (whole !== undefined) return whole;
  let cut = known;
  while (cut.length > 1 && !fits(`${cut}…`)) cut = cut.slice(0, -1);
  return `${cut.trimEnd()}…`;
}

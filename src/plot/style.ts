/** The regularizers of a network that was trained twice: while it was pretrained, and while it was fine-tuned. */
export interface Transfer {
  readonly pretrained: string;
  readonly finetuned: string;
}

/** 'rep-spectral > none': pretrained under rep-spectral, fine-tuned without a regularizer. */
const AFTER = ' > ';

/** The name of such a network's regularizer. */
export const transferred = ({ pretrained, finetuned }: Transfer): string => `${pretrained}${AFTER}${finetuned}`;

/** Both regularizers of a name that `transferred` made; null for a network that was trained once. */
export function transferOf(regularizer: string): Transfer | null {
  const [pretrained, finetuned, more] = regularizer.split(AFTER);
  return pretrained && finetuned && more === undefined ? { pretrained, finetuned } : null;
}

/** Whether a network was trained without any regularizer: the baseline of the others. */
export function unregularized(regularizer: string): boolean {
  const both = transferOf(regularizer);
  return both ? both.pretrained === 'none' && both.finetuned === 'none' : regularizer === 'none';
}

/** The style of one regularizer, or one class, in every figure: hue and dash set it apart, and lightness in gray print. */
export interface MarkStyle {
  /** On white, and in every PNG. */
  readonly light: string;
  /** On a dark page. */
  readonly dark: string;
  /** `stroke-dasharray`; 'none' for a solid line. */
  readonly dash: string;
}

/** The style of the samples of a class. */
export interface ClassStyle extends MarkStyle {
  readonly symbol: 'circle' | 'square' | 'triangle' | 'diamond' | 'star';
}

/** Okabe and Ito's palette, safe for color-blind readers, each with a lighter form for dark pages. */
const STYLES: Readonly<Record<string, MarkStyle>> = {
  none: { light: '#333333', dark: '#d6d6d6', dash: 'none' },
  'll-spectral': { light: '#d55e00', dark: '#ff8a3d', dash: '7 3' },
  'readout-spectral': { light: '#b5559a', dark: '#e39bc8', dash: '2.5 2.5' },
  'rep-spectral': { light: '#0072b2', dark: '#56b4e9', dash: 'none' },
  'batch-spectral-shrinkage': { light: '#00825f', dark: '#33c79c', dash: '9 3 2 3' },
  'l2-sp': { light: '#a67c00', dark: '#f0c419', dash: '7 3' },
  'cross-lipschitz': { light: '#5b4bb7', dark: '#a99bff', dash: '2.5 2.5' },
  'adversarial-training': { light: '#9c2a2a', dark: '#f08a7e', dash: '12 3' },
  'feature-jacobian': { light: '#7a3b1d', dark: '#d9a27f', dash: '9 3 2 3' },
};

const OTHERS: readonly MarkStyle[] = [
  { light: '#4f7a28', dark: '#9bd069', dash: '7 3' },
  { light: '#b0174b', dark: '#ff86a8', dash: '2.5 2.5' },
  { light: '#4a6a7c', dark: '#9cbfd4', dash: '9 3 2 3' },
  { light: '#009aa6', dark: '#4fd8e2', dash: '4 2' },
  { light: '#8f5fbf', dark: '#c9a4f0', dash: '12 3' },
  { light: '#b58900', dark: '#e8c547', dash: '5 2 1 2' },
  { light: '#3a5f9e', dark: '#8fb2ee', dash: '1.5 3' },
];

/** Tol's muted palette in an order whose neighbors differ in lightness too; a class beyond the tenth begins it again. */
const CLASSES: readonly ClassStyle[] = [
  { light: '#e08a00', dark: '#ffb347', dash: 'none', symbol: 'circle' },
  { light: '#332288', dark: '#a397ff', dash: '6 3', symbol: 'square' },
  { light: '#117733', dark: '#5fcf86', dash: '2.5 2.5', symbol: 'triangle' },
  { light: '#cc6677', dark: '#ff9daa', dash: '9 3 2 3', symbol: 'diamond' },
  { light: '#1f8f9f', dark: '#6fd3e0', dash: '6 3', symbol: 'star' },
  { light: '#882255', dark: '#e07fb0', dash: 'none', symbol: 'circle' },
  { light: '#8a8a1f', dark: '#d6d65c', dash: '2.5 2.5', symbol: 'square' },
  { light: '#4c9fd0', dark: '#8fd0f7', dash: '9 3 2 3', symbol: 'triangle' },
  { light: '#aa4499', dark: '#ea8fdc', dash: '6 3', symbol: 'diamond' },
  { light: '#6b5a45', dark: '#c9b59b', dash: '2.5 2.5', symbol: 'star' },
];

/** The style of a pretrained network by its fine-tuning: a lighter tint of its pretraining's color, and a dash. */
const TINTS: Readonly<Record<string, { readonly white: number; readonly dash: string }>> = {
  none: { white: 0, dash: 'none' },
  'rep-spectral': { white: 0.3, dash: '7 3' },
  'batch-spectral-shrinkage': { white: 0.55, dash: '2.5 2.5' },
  'll-spectral': { white: 0.42, dash: '9 3 2 3' },
  'l2-sp': { white: 0.2, dash: '12 3' },
};

const OTHER_TINT = { white: 0.48, dash: '5 2 1 2' };

/** The styles of the known regularizers, and those given to any other, as plain data. */
export const palette = { known: STYLES, others: OTHERS };

/** Single seeds, beside the colored mean of all. */
export const SEED = { light: '#8c8c8c', dark: '#9a9a9a' };

/** The style of a regularizer: fixed for those of the paper; any other gets one by its name, the same in every report. */
export function markStyle(regularizer: string): MarkStyle {
  const known = STYLES[regularizer];
  if (known) return known;
  const both = transferOf(regularizer);
  if (both) return tinted(markStyle(both.pretrained), TINTS[both.finetuned] ?? OTHER_TINT);
  let sum = 0;
  for (const letter of regularizer) sum = (sum * 31 + letter.codePointAt(0)!) % 9973;
  return OTHERS[sum % OTHERS.length]!;
}

/** The style of class `label`, counted from 0. */
export function classStyle(label: number): ClassStyle {
  return CLASSES[((Math.trunc(label) % CLASSES.length) + CLASSES.length) % CLASSES.length]!;
}

/** CSS that turns the light colors of inline figures into the dark ones. */
export function darkRules(): string {
  const once = [...Object.values(STYLES), ...OTHERS];
  const twice = once.flatMap((each) =>
    [...Object.values(TINTS), OTHER_TINT].filter(({ white }) => white > 0).map((tint) => tinted(each, tint)),
  );
  return [...once, ...twice, ...CLASSES, SEED]
    .map(({ light, dark }) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`)
    .join('\n');
}

/** The color with so much white in it; on a dark page, with so much black. */
function tinted(
  { light, dark }: MarkStyle,
  { white, dash }: { readonly white: number; readonly dash: string },
): MarkStyle {
  const mixed = (color: string, to: number) =>
    `#${[1, 3, 5]
      .map((at) => Number.parseInt(color.slice(at, at + 2), 16))
      .map((value) => Math.round(value + (to - value) * white))
      .map((value) => value.toString(16).padStart(2, '0'))
      .join('')}`;
  return { light: mixed(light, 255), dark: mixed(dark, 20), dash };
}

/** The colors of pages, as CSS variables. */
export const tokens = {
  light: '--page:#fff;--ink:#1a1a1a;--quiet:#595959;--line:#d9d9d9;--soft:#f5f6f7;--accent:#0072b2',
  dark: '--page:#15181c;--ink:#e8e8e8;--quiet:#a8adb4;--line:#363b42;--soft:#1f242a;--accent:#56b4e9',
};

/**
 * The style sheet of the page: paper on white, the same on dark, one column on a phone. A table or a text that is wider than its place has a
 * shadow at each edge behind which there is more: two covers of the page's color move with its content, and two shadows stay.
 */
export function style(): string {
  return `:root{${tokens.light};--shade:#1a1a1a59}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:992px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}
h2{font-size:19px;line-height:1.3;margin:48px 0 12px}
.overview{margin:0;color:var(--quiet)}
.verdict{margin:24px 0 0;padding:16px 20px;background:var(--soft);border-left:4px solid var(--accent);border-radius:4px;font-size:17px}
.verdict p{margin:0}
.verdict p+p{margin-top:10px}
.notes{color:var(--quiet);padding-left:20px}
figure{margin:0}
.outliers{margin:0 8px 8px 0;vertical-align:-1px}
.outliers+label{font-size:14px}
.outliers:checked~.panels .robust,.outliers:not(:checked)~.panels .whole{display:none}
figcaption{color:var(--quiet);font-size:14px;margin-top:12px;max-width:76ch}
figcaption p{margin:0 0 6px}
.legend{display:flex;flex-wrap:wrap;gap:4px 24px;list-style:none;margin:0 0 8px;padding:0;font-size:14px}
.legend li{display:flex;align-items:center;gap:8px}
.panels h3{flex:1 1 100%;font-size:15px;line-height:1.3;margin:10px 0 -4px}
.key{margin-bottom:8px}
.panels{display:flex;flex-wrap:wrap;gap:12px 24px}
.panel{flex:1 1 100%;min-width:0}
.panel svg{display:block;width:100%;height:auto;color:var(--ink)}
.panel svg text{white-space:pre}
.columns-2 .panel{flex-basis:400px}
.columns-3 .panel{flex-basis:260px}
.columns-4 .panel{flex-basis:212px}
.scroll,pre{--under:var(--page);overflow-x:auto;background:linear-gradient(90deg,var(--under) 40%,transparent) 0 0/48px 100% no-repeat local,linear-gradient(270deg,var(--under) 40%,transparent) 100% 0/48px 100% no-repeat local,linear-gradient(90deg,var(--shade),transparent) 0 0/16px 100% no-repeat,linear-gradient(270deg,var(--shade),transparent) 100% 0/16px 100% no-repeat var(--under)}
.scroll+.scroll{margin-top:28px}
.scroll:focus-visible,pre:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;min-width:100%}
caption{text-align:left;color:var(--quiet);padding-bottom:8px}
caption span{display:block;position:sticky;left:0;width:max-content;max-width:min(90ch,calc(100vw - 32px))}
th,td{padding:6px 0 6px 8px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;white-space:nowrap}
thead th{font-weight:600;vertical-align:bottom;white-space:normal;border-bottom-color:var(--quiet)}
th:first-child{text-align:left;padding-left:0;font-weight:600}
tbody th{min-width:7.5em;white-space:normal}
tbody th:has(+td.name){min-width:0}
.name{text-align:left}
.dot{margin-right:8px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0 0 16px}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
summary{cursor:pointer}
.rest{margin-top:24px}
.rest>summary{font-weight:600}
pre{--under:var(--soft);padding:16px;font-size:13px;border-radius:4px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font-size:.92em}
@media (max-width:560px){.columns-4 .panel{flex-basis:150px}.panels{gap:12px}main{padding:24px 16px 48px}h1{font-size:24px}h2{margin-top:36px}table{font-size:12px}th,td{padding:5px 0 5px 10px}th:first-child{position:sticky;left:0;background:var(--page)}tbody th{min-width:6.5em}.rest>summary{font-size:15px}.verdict{font-size:16px;padding:12px 16px}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
@media (prefers-color-scheme:dark){
:root{${tokens.dark};--shade:#e8e8e840}
.panel [stroke="white"]{stroke:var(--page)}
.panel [fill="white"]{fill:var(--page)}
${darkRules()}
}
@media print{main{max-width:none;padding:0}.scroll{overflow:visible}section,figure,tr{break-inside:avoid}details{display:none}}`;
}

import type { LegendEntry } from './figures-figure.js';

/** What stands before the words of a legend's entry: SVG in a box of 26 by 18. */
export function sample({ look: { light, dash }, mark }: LegendEntry): string {
  switch (mark) {
    case 'line':
      return `<line x1="0" x2="26" y1="9" y2="9" stroke="${light}" stroke-width="2.5" stroke-dasharray="${dash}"/>`;
    case 'dot':
      return `<circle cx="18" cy="9" r="5" fill="${light}"/>`;
    case 'square':
      return `<rect x="13" y="4" width="10" height="10" fill="${light}"/>`;
    case 'frame':
      return `<rect x="13" y="4" width="10" height="10" fill="${light}" fill-opacity="0.14" stroke="${light}" stroke-width="1.5"/>`;
    case 'ring':
      return `<circle cx="18" cy="9" r="4.5" fill="none" stroke="${light}" stroke-width="1.8"/>`;
    case 'cross':
      return `<path d="M13 4l10 10M23 4l-10 10" stroke="${light}" stroke-width="2" fill="none"/>`;
  }
}

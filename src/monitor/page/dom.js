/**
 * The element of this id.
 *
 * @param {string} id
 * @returns {any}
 */
export const $ = (id) => document.getElementById(id);

const svgSpace = 'http://www.w3.org/2000/svg';

/** Makes an element with these attributes and children; text is never read as markup. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for drawings. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(svgSpace, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false)
      element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Changes a text only where it is another, so that a screen reader does not speak for nothing. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** With the minus sign of print, U+2212, where a text has a hyphen before a digit. */
export const minus = (text) => text.replace(/-(?=[\d.])/g, '−');

/** Three significant digits, without an exponent where that is readable. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return minus(value.toExponential(2).replace('e+', 'e'));
  const whole = size === 0 ? 1 : Math.floor(Math.log10(size)) + 1;
  return minus(value.toFixed(Math.max(0, Math.min(3 - whole, 6))));
}

/** A round number as an axis has it: 0.05, 1,000, 1e−6. */
export function tick(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6))
    return minus(Number(value.toPrecision(6)).toExponential().replace('e+', 'e'));
  return minus(Number(value.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 6 }));
}

export const count = (value) =>
  value === null || value === undefined ? '–' : Math.round(value).toLocaleString('en-US');

export const mebibytes = (bytes) => `${count(bytes / 2 ** 20)} MiB`;

/** Seconds in the two units that matter. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value) => String(value).padStart(2, '0');
  if (whole >= 86_400) return `${Math.floor(whole / 86_400)} d ${pad(Math.floor((whole % 86_400) / 3600))} h`;
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${whole} s`;
}

/** Fills a list with rows of names and values. */
export function rows(list, all) {
  list.replaceChildren(...all.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

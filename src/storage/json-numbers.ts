const numbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** A text that reads like such a number, or like one that was marked as a text. */
const alike = /^=*(NaN|-?Infinity)$/;

/**
 * For `JSON.stringify`: numbers that JSON lacks become their names, 'NaN', 'Infinity' and '-Infinity'; a text that is one of these (a class
 * may be called so) is marked with '='. The metric log and the report's JSON are written so.
 */
export const spelled = (_key: string, value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return typeof value === 'string' && alike.test(value) ? `=${value}` : value;
};

/** For `JSON.parse`: gives back what `spelled` made. */
export const named = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (Object.hasOwn(numbers, value)) return numbers[value];
  return alike.test(value) ? value.slice(1) : value;
};

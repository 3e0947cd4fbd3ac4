import { readFileSync } from 'node:fs';
import { isRecord } from '../flow/data.js';
import { WeirError } from '../flow/errors.js';
import { checkUtf8 } from '../storage/disk.js';

/** One point of a sweep: keys and values in the order in which they were given. Values are text, as after `--set key=`. */
export type Point = readonly (readonly [key: string, value: string])[];

/** An axis of a grid: a key and its values. */
export interface Axis {
  readonly key: string;
  readonly values: readonly string[];
}

/**
 * Parses an axis of the form `key=a,b,c`. `0..9` stands for whole numbers; a value that is a list is written `[a,b]`.
 *
 * @throws {WeirError} where it has another form, or no values
 */
export function parseAxis(text: string): Axis {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new WeirError(`--grid ${text} is not of the form key=a,b`, `write --grid ${text}=VALUE,VALUE`);
  const key = text.slice(0, equals);
  const values = text
    .slice(equals + 1)
    .split(/,(?![^[]*\])(?![^{]*\})/) // not at a comma within brackets or braces
    .flatMap((part) => (part.trim() === '' ? [] : rangeOf(key, part.trim())));
  return checkAxis({ key, values });
}

/** The axes of a grid given as lists of values by key. */
export function axesOf(grid: Readonly<Record<string, readonly unknown[] | undefined>>): Axis[] {
  return Object.entries(grid).flatMap(([key, values]) =>
    values === undefined ? [] : [checkAxis({ key, values: values.map(asText) })],
  );
}

/** One point given as values by key. */
export const pointOf = (values: object): Point =>
  Object.entries(values).map(([key, value]) => [key, asText(value)] as const);

/** All combinations of the axes' values; the last axis varies fastest. */
export function pointsOf(axes: readonly Axis[]): Point[] {
  const twice = axes.find(({ key }, i) => axes.findIndex((axis) => axis.key === key) !== i);
  if (twice !== undefined) {
    throw new WeirError(`the grid has two axes '${twice.key}'`, `give all its values in one: ${twice.key}=a,b,c`);
  }
  return axes.reduce<Point[]>(
    (points, { key, values }) => points.flatMap((point) => values.map((value) => [...point, [key, value] as const])),
    [[]],
  );
}

/**
 * Reads points from a file: a JSON array of objects, or one object a line.
 *
 * @throws {WeirError} names the file and the entry
 */
export function readPoints(file: string): Point[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new WeirError(`cannot read the list ${file}: ${(cause as Error).message}`, 'give the path of a file', {
      cause,
    });
  }
  checkUtf8(file, bytes);
  const text = bytes.toString();
  const lines = text.trimStart().startsWith('[') ? entriesOf(file, text) : objectsOf(file, text);
  if (lines.length === 0) throw new WeirError(`the list ${file} is empty`, 'write an object for each job');
  return lines.map(({ where, value }) => {
    if (isRecord(value)) {
      return pointOf(value);
    }
    throw new WeirError(`${where} is no object`, 'write each job as {"gamma": 0.1, "seed": 3}');
  });
}

interface ListEntry {
  readonly where: string;
  readonly value: unknown;
}

function entriesOf(file: string, text: string): ListEntry[] {
  const values = parsed(file, text) as unknown[];
  return values.map((value, i) => ({ where: `entry ${i + 1} of ${file}`, value }));
}

function objectsOf(file: string, text: string): ListEntry[] {
  return text.split('\n').flatMap((line, i) => {
    const where = `line ${i + 1} of ${file}`;
    return line.trim() === '' ? [] : [{ where, value: parsed(where, line) }];
  });
}

function parsed(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WeirError(`${where} is no JSON: ${(cause as Error).message}`, 'give an array of objects, or one a line', {
      cause,
    });
  }
}

function rangeOf(key: string, part: string): string[] {
  const ends = /^(\d+)\.\.(\d+)$/.exec(part);
  if (ends === null) return [part.replace(/^\[([^"]*)\]$/, '$1')]; // --set takes a list without brackets
  const [from, to] = [Number(ends[1]), Number(ends[2])];
  if (to < from || to - from >= most) {
    throw new WeirError(
      `--grid ${key}=${part} runs ${to < from ? 'backwards' : `over more than ${most} values`}`,
      `write the smaller number first, and ${most} values at most`,
    );
  }
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
}

const most = 100_000; // values of a range

function checkAxis(axis: Axis): Axis {
  if (axis.values.length > 0) return axis;
  throw new WeirError(
    `the axis '${axis.key}' of the grid is empty`,
    `give it at least one value, as in ${axis.key}=a,b, or leave it out`,
  );
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

import { z } from 'zod';
import { WeirError } from '../flow/errors.js';
import type { Declaration } from '../flow/header.js';
import { checkOptions } from '../flow/options.js';

export { z };

/** The part that a measurement plays in an experiment. */
export type Role =
  | 'network'
  | 'training'
  | 'test'
  | 'spectrum'
  | 'attack'
  | 'certificate'
  | 'geometry'
  | 'readout'
  | 'ending'
  | 'measurement';

/** How the values of a field are drawn: over updates, as one bar for each name, or by how often each value comes. */
export type Drawing = 'curve' | 'bars' | 'histogram';

/** The meaning of a field. */
export type FieldOptions = {
  /** Fields of one label are drawn together: the losses, say. By default the field's name in words. */
  readonly label?: string;
  /** 'fraction' is shown in percent. */
  readonly unit?: string;
  readonly shown?: Drawing;
  readonly better?: 'higher' | 'lower';
  /** Worth a logarithmic axis. */
  readonly scale?: 'log';
  /** A mean over the epoch so far, which begins anew with each: drawn as a curve only at the ends of epochs (`endsEpoch`). */
  readonly over?: 'epoch';
  /** Stands for the whole record where there is room for one line: terminal, tables of networks. Of several numbers the name of one may be given. */
  readonly headline?: boolean | string;
};

/** A field as plain data. `numbers`: several by name; `array`: values in bulk, in the log of the first records only. */
export type FieldDescription = FieldOptions & {
  readonly type: 'number' | 'numbers' | 'flag' | 'text' | 'array' | 'other';
  readonly label: string;
  /** Says which sample, class or setting the record is of; see `key`. */
  readonly key?: true;
  /** Of an array: those of all records are kept, beside the log. */
  readonly kept?: 'all';
};

/** A record schema as plain data: what readers in other processes know of a stream. */
export type RecordDescription = {
  readonly name: string;
  readonly role: Role;
  /** Numbers that are not declared are drawn as curves too. */
  readonly open?: boolean;
  /** Records that one network gives at one update: a number, or the field that holds it. None: one record an update. */
  readonly total?: number | string;
  readonly fields: { readonly [name: string]: FieldDescription };
};

/**
 * The record of a measurement: the zod schema of its lines in the metric log, and the same as plain data.
 *
 * @example
 * const sparsity: RecordSchema = record({
 *   name: 'sparsity',
 *   role: 'measurement',
 *   fields: { sparsity: quantity({ label: 'weights below 0.1', unit: 'fraction', better: 'higher' }) },
 * });
 */
export interface RecordSchema<S extends z.ZodRawShape = z.ZodRawShape> extends Declaration {
  readonly name: string;
  readonly schema: z.ZodObject<S & typeof moment, z.core.$loose>;
  readonly description: RecordDescription;
}

/** The stream whose headline is the test accuracy: another with the same record may be of other samples, or of other weights. */
export const testStream = 'tests';

/** The label of a test's number in words: 'test accuracy' in the stream `tests`, 'accuracy of validations' in another. */
export function testLabel(stream: string, label: string): string {
  if (stream !== testStream) return `${label} of ${stream}`;
  return label.includes('test') ? label : `test ${label}`;
}

/** The fields of every record: how many samples, updates and epochs the network has been trained on. */
const moment = { position: z.number().optional(), number: z.int().min(0).optional(), epoch: z.int().min(0).optional() };

/** Fields that the metric log writes itself: no item and no schema has them. */
export const reserved: readonly string[] = ['network', 'stream', 'wall'];

const meanings = z.registry<FieldOptions & Pick<FieldDescription, 'type' | 'key' | 'kept'>>();

/** The metric log has NaN and the infinities, which zod's own number refuses. */
const anyNumber = () => z.custom<number>((value) => typeof value === 'number', 'expected a number');

const fieldOptions = (where: string, options: FieldOptions): FieldOptions =>
  checkOptions(where, options, {
    label: 'optional',
    unit: 'optional',
    shown: 'optional',
    better: 'optional',
    scale: 'optional',
    over: 'optional',
    headline: 'optional',
  });

/** A number that is measured: drawn as a curve, or as a histogram where a record is one of many samples. */
export const quantity = (options: FieldOptions = {}) =>
  anyNumber().register(meanings, { type: 'number', ...fieldOptions('quantity', options) });

/** Numbers by name, such as one for each layer. */
export const quantities = (options: FieldOptions = {}) =>
  z.record(z.string(), anyNumber()).register(meanings, { type: 'numbers', ...fieldOptions('quantities', options) });

/** One of some words; how often each comes is drawn as bars. */
export const category = <const W extends readonly [string, ...string[]]>(words: W, options: FieldOptions = {}) =>
  z.enum(words).register(meanings, { type: 'text', shown: 'bars', ...fieldOptions('category', options) });

/**
 * A field that says which sample, class or setting a record is of: it is logged and exported, but not drawn, and no mean is taken of it.
 *
 * @example record({ name: 'margins', role: 'measurement', fields: { index: key(z.int()), margin: quantity() } })
 */
export const key = <T extends z.ZodType>(type: T): T => {
  meanings.add(type, { type: plainTypeOf(type), key: true });
  return type;
};

/**
 * Values in bulk, such as a picture: the log keeps those of the first few records.
 *
 * @param kept 'all' to keep those of all records, in a recording beside the log
 */
export const array = ({ kept, ...options }: FieldOptions & { readonly kept?: 'all' } = {}) =>
  z
    .object({ float32: z.string() })
    .optional()
    .register(meanings, { type: 'array', ...(kept && { kept }), ...fieldOptions('array', options) });

/**
 * Declares what a measurement logs: status, terminal, page, `/metrics`, report and exports read nothing else of it.
 *
 * A stage carries it as `record`; a stream of plain RxJS operators passes `recorded(…)`. Fields of other zod types (`z.int()`) are
 * logged and exported, not drawn; so are fields that are not declared.
 *
 * Each record is checked as it is logged: a declared field must be there and of its type, or the run ends with an error. NaN and the
 * infinities are numbers. A field that may be missing is declared with `.optional()`, one that may be null with `.nullable()`.
 *
 * The report's verdict and its robustness figure take a stream of role 'attack' that declares `index`, `label`, `predicted`, `outcome`,
 * `distance` and `queries`. Any other stream is a measurement there, with a chart for each field.
 *
 * @throws {WeirError} where a field has a name of the log's own (network, stream, wall), or the total is no whole number from 0 on
 * @example
 * const fgsm = record({
 *   name: 'FGSM',
 *   role: 'attack',
 *   total: 'total',
 *   fields: { index: key(z.int()), distance: quantity({ unit: 'input units', better: 'higher' }), total: z.int() },
 * });
 */
export function record<S extends z.ZodRawShape>(options: {
  readonly name: string;
  readonly role: Role;
  readonly total?: number | (keyof S & string);
  readonly fields: S;
}): RecordSchema<S> {
  const { name, role, total, fields } = checkOptions('record', options, {
    name: 'required',
    role: 'required',
    total: 'optional',
    fields: 'required',
  });
  const taken = reserved.find((field) => Object.hasOwn(fields, field));
  if (taken !== undefined) {
    throw new WeirError(
      `the record '${name}' declares a field '${taken}', which the metric log writes itself`,
      'give the field another name',
    );
  }
  if (typeof total === 'number' && !isCount(total))
    throw new WeirError(`the record '${name}' has a total of ${total}`, 'give a whole number from 0 on');
  const bySample = total !== undefined;
  return {
    name,
    schema: z.looseObject({ ...moment, ...fields }) as RecordSchema<S>['schema'],
    description: {
      name,
      role,
      ...(bySample && { total }),
      fields: Object.fromEntries(
        Object.entries(fields).map(([field, type]) => [field, described(field, type as z.ZodType, bySample)]),
      ),
    },
  };
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** The first field of a record that is not as its schema declares it, with what was expected; undefined where all are. */
export function mismatchOf(schema: RecordSchema | undefined, line: LogLine): string | undefined {
  if (schema === undefined) return undefined;
  const { total } = schema.description;
  if (typeof total === 'string' && !isCount(line[total])) {
    return `field '${total}', its total, is ${inBrief(line[total])}, expected a whole number from 0 on`;
  }
  const { error } = schema.schema.safeParse(line);
  for (const issue of error?.issues ?? []) {
    const value = issue.path.reduce<unknown>(
      (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
      line,
    );
    if (typeof value === 'number' && !Number.isFinite(value) && issue.code === 'invalid_type') continue; // zod's number refuses these
    return `field '${issue.path.join('.')}' is ${inBrief(value)}, expected ${expectation(issue)}`;
  }
  return undefined;
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `type ${issue.expected}`;
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`;
  return issue.code === 'custom' ? 'type number' : `otherwise: ${issue.message}`;
}

function inBrief(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  const type = Array.isArray(value) ? 'list' : typeof value;
  return typeof value === 'object' ? `a ${type}` : `${String(value).slice(0, 80)} (${type})`;
}

function described(name: string, type: z.ZodType, bySample: boolean): FieldDescription {
  const meaning = meanings.get(type);
  if (meaning !== undefined) {
    const drawn = !meaning.key && (meaning.type === 'number' || meaning.type === 'numbers');
    return { label: inWords(name), ...(drawn && { shown: bySample ? 'histogram' : 'curve' }), ...meaning };
  }
  const { innerType } = type.def as { readonly innerType?: z.ZodType };
  if (innerType !== undefined) return described(name, innerType, bySample);
  return { type: plainTypeOf(type), label: inWords(name) };
}

const plainTypeOf = (type: z.ZodType): FieldDescription['type'] =>
  plainTypes[String(z.toJSONSchema(type, { unrepresentable: 'any' }).type)] ?? 'other';

const plainTypes: Readonly<Record<string, FieldDescription['type']>> = {
  number: 'number',
  integer: 'number',
  boolean: 'flag',
  string: 'text',
};

const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The record of a stream that declares none. */
const undeclared = (stream: string): RecordDescription => ({
  name: stream,
  role: 'measurement',
  open: true,
  fields: {},
});

/** A record as it was logged. */
type LogLine = Readonly<Record<string, unknown>>;

/** Fields that say when, or of which network and stream, a record is. */
const places = new Set([...reserved, ...Object.keys(moment)]);

/** A field as it is declared, or as a number of a stream that declares nothing is taken; undefined for what is only logged. */
export function fieldOf({ fields, open }: RecordDescription, name: string): FieldDescription | undefined {
  if (Object.hasOwn(fields, name)) return fields[name]!;
  return open && !places.has(name) ? { type: 'number', label: inWords(name), shown: 'curve' } : undefined;
}

/** The schemas of a run's streams, by stream. */
export type RecordDescriptions = Readonly<Record<string, RecordDescription>>;

/** What is known of a line of the metric log. */
export const descriptionOf = (streams: RecordDescriptions, { stream }: LogLine): RecordDescription =>
  Object.hasOwn(streams, String(stream)) ? streams[String(stream)]! : undeclared(String(stream));

/** One value of a record that is to be drawn. */
export interface Reading {
  /** Of a number among several by name both: `sigma.hidden1`. */
  readonly field: string;
  /** The name of the number among several, or ''. */
  readonly part: string;
  readonly value: number | string;
  readonly about: FieldDescription;
}

/** What a line of the metric log says that is to be drawn. Before its first update a training has nothing to say. */
export const readingsOf = (description: RecordDescription, line: LogLine): Generator<Reading> =>
  readingsBy(description, line, (field) => fieldOf(description, field));

/** The same, with every other number of a line that is measured: of `z.int()` and of fields that are not declared too. */
export const numbersOf = (description: RecordDescription, line: LogLine): Generator<Reading> =>
  readingsBy(description, line, (field) => {
    const declared = fieldOf(description, field);
    if (declared?.shown !== undefined) return declared;
    if (isKey(description, field) || !['number', 'numbers', 'other'].includes(declared?.type ?? 'other'))
      return undefined;
    return { type: 'number', label: inWords(field), shown: description.total === undefined ? 'curve' : 'histogram' };
  });

function* readingsBy(
  description: RecordDescription,
  line: LogLine,
  aboutOf: (field: string) => FieldDescription | undefined,
): Generator<Reading> {
  if (description.role === 'training' && line.number === 0) return;
  for (const [field, value] of Object.entries(line)) {
    const about = aboutOf(field);
    if (about?.shown === undefined) continue;
    if (typeof value === 'number' || (typeof value === 'string' && about.type === 'text')) {
      yield { field, part: '', value, about };
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [part, one] of Object.entries(value)) {
        if (typeof one === 'number') yield { field: `${field}.${part}`, part, value: one, about };
      }
    }
  }
}

/** A label with its unit: 'distance (input units)'. A fraction's is known. */
export const labelWithUnit = ({ label, unit }: FieldDescription): string =>
  unit === undefined || unit === 'fraction' ? label : `${label} (${unit})`;

/** Whether a field measures nothing: it says which record this is, or how many there are. */
export const isKey = ({ total, fields }: RecordDescription, field: string): boolean =>
  places.has(field) || field === total || (Object.hasOwn(fields, field) && fields[field]!.key === true);

/** How many records of its kind there will be; undefined where a record is the only one of its update. */
export function totalOf({ total }: RecordDescription, line: LogLine): number | undefined {
  const count = typeof total === 'string' ? line[total] : total;
  return typeof count === 'number' && Number.isFinite(count) ? count : undefined;
}

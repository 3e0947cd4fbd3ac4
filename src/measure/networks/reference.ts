import { WeirError } from '../../flow/errors.js';
import { checkOptions, suggestion } from '../../flow/options.js';
import { MEASURES } from './summary.js';

/** Values of a run's config, by key. */
export type ConfigValues = Readonly<Record<string, string | number | boolean>>;

/** Numbers of others for the networks of a pipeline, which the report sets beside its own. */
export interface Reference {
  /** The networks, in the head of the table: 'Clean XOR'. */
  readonly title: string;
  /** The source of the numbers, in the caption: "the authors' protocol". */
  readonly source: string;
  /** Networks that each mean is over. */
  readonly seeds: number;
  /** Epochs of their training: a network that was trained for another number is not compared. */
  readonly epochs: number;
  /** Only networks whose run has these values in its config are compared. */
  readonly where?: ConfigValues;
  readonly rows: readonly ReferenceRow[];
}

/** The numbers for one regularizer. */
export interface ReferenceRow {
  readonly regularizer: string;
  /** Values of the config, besides those of the whole reference. */
  readonly where?: ConfigValues;
  /** Mean σ at the end of training, by layer. */
  readonly sigma?: Readonly<Record<string, number>>;
  /** Mean and sample standard deviation over seeds, by the measure's name in the report's tables: 'Mean Δx'. Accuracies are fractions. */
  readonly measures: Readonly<Record<string, readonly [mean: number, standardDeviation: number]>>;
}

/** Checks the reference of a pipeline. @throws {WeirError} names a key or a measure that there is none of, and the nearest one */
export function checkReference(pipeline: string, reference: Reference): Reference {
  const where = `the reference of pipeline '${pipeline}'`;
  checkOptions(where, reference, {
    title: 'required',
    source: 'required',
    seeds: 'required',
    epochs: 'required',
    where: 'optional',
    rows: 'required',
  });
  const names = MEASURES.map(({ name }) => name);
  for (const row of reference.rows) {
    checkOptions(`a row of ${where}`, row, {
      regularizer: 'required',
      where: 'optional',
      sigma: 'optional',
      measures: 'required',
    });
    const unknown = Object.keys(row.measures).find((name) => !names.includes(name));
    if (unknown === undefined) continue;
    throw new WeirError(
      `${where} has numbers of '${unknown}', which is no measure of the report`,
      suggestion(unknown, names, `the measures are ${names.map((name) => `'${name}'`).join(', ')}`),
    );
  }
  return reference;
}

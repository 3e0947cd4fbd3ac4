import { WeirError } from '../../flow/errors.js';
import { canonicalName } from '../../flow/header.js';
import { type OptionKeys, suggestion } from '../../flow/options.js';
import { type DataDescription, datasetOf, nameOfFile } from '../arrays.js';
import type { Dataset } from '../dataset.js';
import { shownName } from '../images/reader.js';
import { fitsFloat32 } from '../sample-check.js';

/** How a table becomes a data set: each row a sample. */
export interface TableOptions extends DataDescription {
  /** The column that holds the class of each row: its name, or its number where `classes` is a count. */
  readonly label: string;
  /** The columns that a sample is made of, in this order; by default all but the label's, in the order of the file. */
  readonly features?: readonly string[];
}

/** The same as a table for `checkOptions`. */
export const tableOptionKeys: OptionKeys<TableOptions> = {
  label: 'required',
  features: 'optional',
  classes: 'optional',
  sampleShape: 'optional',
  box: 'optional',
  name: 'optional',
};

/** Gathers the rows of a table, one after another, and makes a data set of them. */
export class TableRows {
  /** The columns to read: the label's, then the features'. */
  readonly columns: readonly string[];
  private readonly labels: string[] = [];
  private readonly values: number[] = [];
  /** Values of each feature: more than one where its cells are lists. */
  private readonly widths: (number | undefined)[];
  /** The names of the classes, where they are given. */
  private readonly known: ReadonlySet<string> | undefined;

  /**
   * @param found all columns of the file @param hint ends the remedy where a column is not among them
   * @throws {WeirError} for a column that is not there, or is there twice
   */
  constructor(
    private readonly file: string,
    found: readonly string[],
    private readonly options: TableOptions,
    hint = '',
  ) {
    const { classes } = options;
    if (Array.isArray(classes) && classes.every((one) => typeof one === 'string')) {
      this.known = new Set(classes.map(canonicalName));
    }
    const { label, features = found.filter((column) => column !== label) } = options;
    this.columns = [label, ...features];
    this.widths = features.map(() => undefined);
    for (const column of this.columns) {
      const count = found.filter((one) => one === column).length;
      if (count === 1 && this.columns.indexOf(column) === this.columns.lastIndexOf(column)) continue;
      throw count === 0
        ? new WeirError(
            `'${file}' has no column '${column}'`,
            suggestion(column, found, `its columns are ${found.map((one) => `'${one}'`).join(', ')}${hint}`),
          )
        : new WeirError(
            `column '${column}' of '${file}' ${count > 1 ? `is there ${count} times` : 'is asked for twice'}`,
            'give each column a name of its own, and take it once',
          );
    }
    if (features.length === 0) throw new WeirError(`'${file}' has no column besides '${label}'`, 'give it features');
  }

  /**
   * @param cells those of `columns`, in their order
   * @param where the row in messages, such as 'line 7'
   * @param numberOf the number in a cell, undefined where it holds none
   */
  add(cells: readonly unknown[], where: string, numberOf: (cell: unknown) => number | undefined): void {
    const refuse = (i: number, fault: string, remedy: string): WeirError =>
      new WeirError(`'${this.file}', ${where}, column '${this.columns[i]}': ${fault}`, remedy);
    const [label] = cells;
    if (label === null || label === undefined || label === '' || Number.isNaN(label) || typeof label === 'object') {
      throw refuse(
        0,
        label && typeof label === 'object' ? 'a label is no list' : 'there is no label',
        'give each row its class, or leave that row out',
      );
    }
    this.labels.push(this.checkedLabel(String(label), (fault, remedy) => refuse(0, fault, remedy)));
    for (let i = 1; i < cells.length; i++) {
      const cell = cells[i];
      const list = Array.isArray(cell) || (ArrayBuffer.isView(cell) && !(cell instanceof DataView));
      const numbers = (list ? [...(cell as Iterable<unknown>)] : [cell]).map(numberOf);
      this.widths[i - 1] ??= numbers.length;
      const width = this.widths[i - 1];
      if (numbers.length !== width) {
        throw refuse(
          i,
          `a list of ${numbers.length}, and the first row has ${width}`,
          'give all rows lists of one length',
        );
      }
      if (numbers.includes(undefined)) {
        throw refuse(
          i,
          cell === '' || cell === null || cell === undefined ? 'there is no value' : `${shown(cell)} is no number`,
          'put a number there, leave that row out, or name the columns to take: { features: […] }',
        );
      }
      for (const number of numbers) {
        if (!fitsFloat32(number)) {
          throw refuse(
            i,
            `${shown(cell)} is no finite number of float32`,
            'put a number between ±3.4e38 there, or leave that row out',
          );
        }
        this.values.push(number!);
      }
    }
  }

  private checkedLabel(label: string, refusal: (fault: string, remedy: string) => WeirError): string {
    if (shownName(label) !== label)
      throw refusal(`'${shownName(label)}' is not UTF-8`, 'write the file again in UTF-8');
    const { classes } = this.options;
    if (typeof classes === 'number') {
      if (!/^\d+$/.test(label)) {
        throw refusal(
          `'${label}' is no number of a class, and ${classes} classes were asked for by their number`,
          `give whole numbers from 0 on, or the names: { classes: ['${label}', …] }`,
        );
      }
      if (Number(label) < classes || !(classes >= 1)) return label; // `dataset` refuses such a count
      throw refusal(
        `'${label}' is none of ${classes} classes`,
        `labels are whole numbers from 0 to ${classes - 1}: mend that one, or ask for more classes`,
      );
    }
    if (!this.known || this.known.has(canonicalName(label))) return label;
    const few = [...this.known].slice(0, 12).join(', ');
    throw refusal(
      `'${label}' is none of the ${this.known.size} classes ${few}${this.known.size > 12 ? ', …' : ''}`,
      'mend that label, or name the class that is missing',
    );
  }

  /** @throws {WeirError} where there are no rows, or `dataset` refuses them */
  dataset(): Dataset {
    const { file, labels, values } = this;
    const { label: _, features: __, name = nameOfFile(file), ...about } = this.options;
    if (labels.length === 0) throw new WeirError(`'${file}' has no rows`, 'give it one for each sample');
    const counted = typeof about.classes === 'number';
    const width = values.length / labels.length;
    return datasetOf(`'${file}'`, {
      sampleShape: [width],
      ...about,
      name,
      values,
      labels: counted ? labels.map(Number) : labels,
    });
  }
}

const shown = (cell: unknown): string => {
  const text = typeof cell === 'string' ? cell : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
  return `'${text.length > 40 ? `${text.slice(0, 40)}…` : text}'`;
};

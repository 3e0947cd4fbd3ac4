import { WeirError } from '../../flow/errors.js';
import { checkOptions, suggestion } from '../../flow/options.js';
import type { Reference } from './record.js';
import { MEASURES } from './summary.js';

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
